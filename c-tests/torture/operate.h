/*
 * Operations are begun: as plain calls, and by ioevent_submit.
 */
#ifndef TORTURE_OPERATE_H
#define TORTURE_OPERATE_H

#include "complete.h"
#include "prepare.h"

/* The same as a plain call. */
static ssize_t plain_call(const struct ioevent_op *o, struct op *op)
{
    int fd = o->ioo_fd, arg = o->ioo_arg;

    switch (o->ioo_kind) {
    case IOEVENT_OP_READ:
        return ioevent_read(fd, o->ioo_buf, o->ioo_len);
    case IOEVENT_OP_WRITE:
        return ioevent_write(fd, o->ioo_buf, o->ioo_len);
    case IOEVENT_OP_READV:
        return ioevent_readv(fd, o->ioo_buf, (int)o->ioo_len);
    case IOEVENT_OP_WRITEV:
        return ioevent_writev(fd, o->ioo_buf, (int)o->ioo_len);
    case IOEVENT_OP_PREAD:
        return ioevent_pread(fd, o->ioo_buf, o->ioo_len, op->start);
    case IOEVENT_OP_PWRITE:
        return ioevent_pwrite(fd, o->ioo_buf, o->ioo_len, op->start);
    case IOEVENT_OP_PREADV:
        return ioevent_preadv(fd, o->ioo_buf, (int)o->ioo_len, op->start);
    case IOEVENT_OP_PWRITEV:
        return ioevent_pwritev(fd, o->ioo_buf, (int)o->ioo_len, op->start);
    case IOEVENT_OP_RECV:
        return ioevent_recv(fd, o->ioo_buf, o->ioo_len, arg);
    case IOEVENT_OP_RECVFROM:
        return ioevent_recvfrom(fd, o->ioo_buf, o->ioo_len, arg, o->ioo_addr, o->ioo_addrlen);
    case IOEVENT_OP_RECVMSG:
        return ioevent_recvmsg(fd, o->ioo_buf, arg);
    case IOEVENT_OP_SEND:
        return ioevent_send(fd, o->ioo_buf, o->ioo_len, arg);
    case IOEVENT_OP_SENDTO:
        return ioevent_sendto(fd, o->ioo_buf, o->ioo_len, arg, NULL, 0);
    case IOEVENT_OP_SENDMSG:
        return ioevent_sendmsg(fd, o->ioo_buf, arg);
    case IOEVENT_OP_ACCEPT:
        return ioevent_accept(fd, o->ioo_addr, o->ioo_addrlen);
    case IOEVENT_OP_ACCEPT4:
        return ioevent_accept4(fd, o->ioo_addr, o->ioo_addrlen, arg);
    case IOEVENT_OP_SENDFILE:
        op->room->at = o->ioo_offset;
        return ioevent_sendfile(fd, o->ioo_fd2, o->ioo_offset == -1 ? NULL : &op->room->at, o->ioo_len);
    case IOEVENT_OP_SPLICE:
        return ioevent_splice(o->ioo_fd2, NULL, fd, NULL, o->ioo_len, (unsigned)arg);
    case IOEVENT_OP_FSYNC:
        return ioevent_fsync(fd);
    case IOEVENT_OP_FDATASYNC:
        return ioevent_fdatasync(fd);
    case IOEVENT_OP_SHUTDOWN:
        return ioevent_shutdown(fd, arg);
    default:
        return ioevent_poll(fd, (short)arg);
    }
}

/* It is on the books from now on. */
static void begin(struct op *op, struct chan *c, struct end *e, struct pipe *p)
{
    op->chan = c;
    op->end = e;
    SET(op->pipe, p);
    op->cancels = e ? GET(e->finished[op->direction]) : p ? GET(p->finished) : 0;
    op->begun = now_ns();
    if (c) {
        LOCK(&c->mutex);
        c->outstanding++;
        if (op->logged) {
            int which = op->direction;

            if (c->log_end[which])
                c->log_end[which]->log = op;
            else
                c->log[which] = op;
            c->log_end[which] = op;
            c->log_length[which]++;
        }
        UNLOCK(&c->mutex);
    }
    SET(op->state, BUSY);
}

/* The call was refused; the last that was begun goes first. */
static void unbegin(struct op *op)
{
    struct chan *c = op->chan;

    set_done(op);
    close_other(op);
    if (c) {
        LOCK(&c->mutex);
        c->outstanding--;
        if (op->logged) {
            int which = op->direction;
            struct op **at = &c->log[which], *before = NULL;

            while (*at != op) {
                before = *at;
                at = &before->log;
            }
            CHECK(op->log == NULL);
            *at = NULL;
            c->log_end[which] = before;
            c->log_length[which]--;
        }
        UNLOCK(&c->mutex);
    }
    release(op);
}

static bool may_be_refused(const struct op *op, int err)
{
    return (err == EINVAL || err == EOPNOTSUPP || err == ENOTCONN) &&
           (moves_pages(op->what) || is_fsync(op->what) || op->what == IOEVENT_OP_SHUTDOWN);
}

static void submit_some(struct worker *w, struct chan *c, struct end *e)
{
    struct op *op[4];
    struct ioevent_op o[4];
    int n = 0, most = chance(w, 2) ? 1 : 4, taken, err, what[4];
    struct pipe *p;
    long detaches = GET(e->detaches);

    if (!c->is->mixed)
        LOCK(&c->order);
    p = GET(e->pipe);
    if (p && !GET(p->closed)) {
        while (n < most && (op[n] = prepare(w, c, e, &o[n], false))) {
            if (chance(w, 4)) {
                op[n]->limit = 100 * US + below(w, 30000) * US;
                o[n].ioo_timeout = nanoseconds(op[n]->limit);
            }
            what[n] = op[n]->what;
            SET(e->lately, o[n].ioo_user);
            begin(op[n], c, e, p);
            n++;
        }
        errno = 0;
        taken = n ? ioevent_submit(o, n) : 0;
        err = errno;
        memset(o, 0x5a, sizeof o);
        if (taken == -1 && err == EIOEVENTFULL)
            ADD(fulls, 1);
        else if (taken == -1 && !may_be_refused(op[0], err) &&
                 !(err == EINVAL && (GET(p->closed) || detaches % 2 || GET(e->detaches) != detaches)))
            die(op[0], "ioevent_submit gave errno %d (%s)", err, ioevent_strerror(err));
        if (taken == 0 && n > 0)
            die(op[0], "ioevent_submit took nothing and gave no error");
        for (int i = 0; i < taken; i++)
            ADD(queued[what[i]], 1);
        for (int i = n; i-- > (taken < 0 ? 0 : taken);)
            unbegin(op[i]);
    }
    if (!c->is->mixed)
        UNLOCK(&c->order);
}

/* Takes an operation that was no operation after all off its life; gives those that are over now. */
static struct op *forget_plain(struct life *life, struct op *op)
{
    struct op **at, *over = NULL;

    LOCK(&life->mutex);
    for (at = &life->ops; *at && *at != op; at = &(*at)->next)
        ;
    if (!*at)
        die(op, "an event for a call that was not queued");
    *at = op->next;
    life->queued--;
    if (life->events == life->queued) {
        over = life->ops;
        life->ops = NULL;
    }
    unlock_life(life);
    return over;
}

/* A plain call; the caller holds e->plain, and the lock of its pipe. */
static void call_plain(struct worker *w, struct chan *c, struct end *e)
{
    struct ioevent_op o;
    struct life *life = e->life;
    struct op *op, *over;
    bool mixed = c->is->mixed, busy;
    int what, err;
    long r;

    if (!mixed)
        LOCK(&c->order);
    LOCK(&life->mutex);
    busy = !mixed && life->ops;
    UNLOCK(&life->mutex);
    op = busy ? NULL : prepare(w, c, e, &o, e->flags & IOEVENT_POLLONLY);
    if (op) {
        what = op->what;
        SET(op->life, life);
        SET(e->lately, user_of_life(life));
        begin(op, c, e, e->pipe);
        LOCK(&life->mutex);
        life->queued++;
        op->next = life->ops;
        life->ops = op;
        UNLOCK(&life->mutex);
        errno = 0;
        r = plain_call(&o, op);
        err = errno;
        if (r == -1 && err == EIOEVENTQUEUED) {
            ADD(queued[mixed ? 0 : what], 1);
        } else {
            over = forget_plain(life, op);
            if (r == -1 && (err == EIOEVENTFULL || may_be_refused(op, err))) {
                ADD(fulls, err == EIOEVENTFULL);
                unbegin(op);
            } else if (e->flags & IOEVENT_INLINE) {
                set_done(op);
                op->direct = true;
                op->next = NULL;
                ADD(directs[what], 1);
                complete(op, r, r == -1 ? err : 0);
            } else {
                die(op, "the call gave %ld, errno %d (%s)", r, err, ioevent_strerror(err));
            }
            settle_all(over);
        }
    }
    if (!mixed)
        UNLOCK(&c->order);
}

static void operate(struct worker *w, struct chan *c, struct end *e)
{
    struct pipe *p;
    bool done = false;

    if (chance(w, 2) && pthread_rwlock_tryrdlock(&e->plain) == 0) {
        p = GET(e->pipe);
        if (p && pthread_rwlock_tryrdlock(&p->lock) == 0) {
            done = !GET(p->closed);
            if (done)
                call_plain(w, c, e);
            pthread_rwlock_unlock(&p->lock);
        }
        pthread_rwlock_unlock(&e->plain);
    }
    if (!done)
        submit_some(w, c, e);
}

#endif
