/*
 * An operation is over: its event has come, or its pipe was closed.
 */
#ifndef TORTURE_COMPLETE_H
#define TORTURE_COMPLETE_H

#include "log.h"
#include "results.h"

static void close_other(struct op *op)
{
    for (int i = 0; i < 2; i++)
        if (op->other[i] != -1)
            OK(close(op->other[i]));
    op->other[0] = op->other[1] = -1;
}

/* The pipe of its own that it read from or wrote to has what it has to have. */
static void check_other(struct op *op)
{
    size_t moved = op->result > 0 ? (size_t)op->result : 0, expected = op->direction == IN ? moved : op->len - moved;
    unsigned char *data = op->room->data;
    int there = 0;

    if (op->other[0] == -1)
        return;
    OK(ioctl(op->other[0], FIONREAD, &there));
    if ((size_t)there != expected)
        die(op, "%d bytes in its pipe, not %zu", there, expected);
    if (there > 0)
        read_all(op->other[0], data, expected);
    if (op->direction == OUT) {
        if (memcmp(data, table + op->start + moved, expected) != 0)
            die(op, "it left other bytes in its pipe than it should");
        memset(data, POISON, expected);
    }
}

/* Takes it off the books. The caller has set its state to DONE. */
static void settle_op(struct op *op)
{
    struct chan *c = op->chan;
    struct conn *conn = op->conn;
    bool logged = op->logged, last = false;

    close_other(op);
    if (!logged)
        release(op);
    if (c) {
        LOCK(&c->mutex);
        if (logged) {
            if (op->direction == OUT)
                put_poison(op); /* what it wrote is known without */
            op->done = true;
            verify(c);
        }
        last = --c->outstanding == 0 && c->closing;
        UNLOCK(&c->mutex);
    }
    if (last)
        finish(c);
    if (conn)
        conn_put(conn);
}

/* A descriptor that an accept gave. */
static void take_accepted(const struct op *op, int fd)
{
    ATTACHED(fd, -1, 0);
    if (op->what == IOEVENT_OP_ACCEPT4)
        SAME(OK(fcntl(fd, F_GETFD)), op->flags & SOCK_CLOEXEC ? FD_CLOEXEC : 0);
    SAME(fcntl(fd, F_GETFL) & O_NONBLOCK, op->flags & SOCK_NONBLOCK ? O_NONBLOCK : 0);
    ADD(accepted, 1);
    if (fd % 3 == 0)
        (void)!send(fd, table, 100, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (fd % 2)
        OK(close(fd));
    else
        GIVES(ioevent_close(fd), 0);
}

/* The event of an operation, or its direct result. */
static void complete(struct op *op, long result, int err)
{
    struct room *room = op->room;
    struct chan *c = op->chan;
    size_t moved = result > 0 ? (size_t)result : 0;

    op->result = result;
    op->err = err;
    check_result(op);
    if (op->what == IOEVENT_OP_ACCEPT || op->what == IOEVENT_OP_ACCEPT4) {
        if (result >= 0)
            take_accepted(op, (int)result);
    } else if (moves_pages(op->what)) {
        check_other(op);
        if (op->life && op->what == IOEVENT_OP_SENDFILE && room->at != -1 && room->at != (off_t)(op->start + moved))
            die(op, "the offset is %lld", (long long)room->at);
    } else if (is_write(op->what) || op->what == IOEVENT_OP_PWRITE || op->what == IOEVENT_OP_PWRITEV) {
        const void *wrote = c && c->kind == K_COUNTER ? (const void *)&op->value : table + op->start;

        if (memcmp(room->data, wrote, op->len) != 0)
            die(op, "a write changed its buffer");
    }
    if (op->direction == IN && !is_all(room->data + op->len, POISON, op->size - op->len))
        die(op, "a read wrote behind its buffer");
    if (c && c->kind == K_FILE_AT && op->direction == IN && memcmp(room->data, table + op->start, moved) != 0)
        die(op, "wrong bytes");
    if (c && c->kind == K_FILE_AT && result >= 0 && moved < op->len && op->what != IOEVENT_OP_SENDFILE &&
        !was_cancelled(op) && !is_overdue(op))
        die(op, "short");
    if (c && (c->kind == K_COUNTER || c->kind == K_CLOCK) && moved && op->what != IOEVENT_OP_POLL) {
        if (op->direction == IN)
            memcpy(&op->value, room->data, sizeof op->value);
        if (op->value == 0)
            die(op, "a zero was read");
        LOCK(&c->mutex);
        c->sum[op->direction] += op->value;
        UNLOCK(&c->mutex);
    }
    settle_op(op);
}

/* Its pipe was closed. */
static void lose(struct op *op)
{
    if (op->chan) {
        LOCK(&op->chan->mutex);
        SET(op->chan->tainted, true);
        UNLOCK(&op->chan->mutex);
    }
    op->result = -1;
    put_poison(op); /* the library has to leave it alone from now on */
    settle_op(op);
}

static void set_done(struct op *op)
{
    int busy = BUSY;

    if (!__atomic_compare_exchange_n(&op->state, &busy, DONE, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        die(op, "an event for an operation that was not outstanding: doubled, or the call failed too");
}

/* The plain calls of a `mixed` attachment are known to be over only when all of them are. */
static void settle_all(struct op *op)
{
    for (struct op *next; op; op = next) {
        next = op->next;
        set_done(op);
        if (op->direction == IN && !is_all(op->room->data + op->len, POISON, op->size - op->len))
            die(op, "a read wrote behind its buffer");
        settle_op(op);
    }
}

static void life_event(struct life *life, const struct ioevent *e)
{
    struct op *op;
    bool mixed;

    LOCK(&life->mutex);
    if (!life->used || user_of_life(life) != e->ioe_user)
        die(NULL, "an event of an attachment that is long over: user %p result %d errno %d", e->ioe_user, e->ioe_result,
            e->ioe_errno);
    if (++life->events > life->queued)
        die(NULL, "more events of an attachment than operations: result %d errno %d on a %s", e->ioe_result,
            e->ioe_errno, life->chan->is->name);
    mixed = life->chan->is->mixed;
    op = life->ops;
    if (mixed && life->events < life->queued)
        op = NULL;
    else
        life->ops = NULL;
    if (op && GET(life->cancel_asked))
        SET(op->cancel_asked, true); /* the life may be used again from now on */
    unlock_life(life);
    if (mixed) {
        ADD(events[0], 1);
        if (e->ioe_result > BIG_ROOM)
            die(NULL, "result %d on a %s", e->ioe_result, kind_info[K_MIX_UNIX].name);
        settle_all(op);
    } else {
        CHECK(op && !op->next);
        ADD(events[op->what], 1);
        set_done(op);
        complete(op, e->ioe_result, e->ioe_errno);
    }
}

static void take_event(const struct ioevent *e)
{
    uint64_t user = (uint64_t)(uintptr_t)e->ioe_user;
    unsigned index = (unsigned)(user >> 1) & 0x7ffff;
    int err = e->ioe_errno;

    if (!(user & 1)) {
        if (user == FOREIGN || index >= LIVES)
            die(NULL, "an event with user %p result %d errno %d", e->ioe_user, e->ioe_result, err);
        if (err == EAGAIN || err == EINTR || (e->ioe_result < 0 && err == 0) || err < 0 || err >= EIOEVENTFULL)
            die(NULL, "an event with result %d errno %d", e->ioe_result, err);
        life_event(&lives[index], e);
        return;
    }
    if (index >= OPS || GET(ops[index].generation) != user >> 20)
        die(NULL, "an event of an operation that is long over: user %p result %d errno %d", e->ioe_user, e->ioe_result,
            err);
    set_done(&ops[index]);
    ADD(events[ops[index].what], 1);
    complete(&ops[index], e->ioe_result, err);
}

#endif
