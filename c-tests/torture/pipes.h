/*
 * Pipes: opened, closed with all that is outstanding, posted to, resized, given timers.
 */
#ifndef TORTURE_PIPES_H
#define TORTURE_PIPES_H

#include "descriptors.h"
#include "operate.h"

static struct pipe *open_pipe(struct worker *w)
{
    struct pipe *p;

    LOCK(&pool_mutex);
    p = retired;
    CHECK(p != NULL);
    retired = p->next;
    if (!retired)
        retired_end = NULL;
    UNLOCK(&pool_mutex);
    p->nonblock = chance(w, 2);
    p->fd = OK(ioeventpipe2(20 + (int)below(w, 150), O_CLOEXEC | (p->nonblock ? O_NONBLOCK : 0)));
    p->started = p->finished = 0;
    p->readers = 0;
    p->until = now_ns() + (1000 + below(w, 7000)) * MS; /* mostly a pause counts its operations before */
    SET(p->closed, false);
    return p;
}

static void retire_pipe(struct pipe *p)
{
    LOCK(&pool_mutex);
    p->next = NULL;
    if (retired_end)
        retired_end->next = p;
    else
        retired = p;
    retired_end = p;
    UNLOCK(&pool_mutex);
}

static void enter(struct worker *w) { ADD(w->sections, 1); }
static void leave(struct worker *w) { ADD(w->sections, 1); }

/* Until everybody has left the section that he is in now. The caller is in none. */
static void grace(void)
{
    for (int i = 0; i <= THREADS_MAX; i++) {
        long n = GET(workers[i].sections);

        if (n % 2)
            UNTIL(GET(workers[i].sections) != n);
    }
}

/* No operation of a pipe that is closed will have an event any more. The caller is in no section. */
static void sweep(struct pipe *p)
{
    grace();
    for (int i = 0; i < SLOTS; i++) {
        struct chan *c;

        ZERO(pthread_rwlock_rdlock(&slots[i].lock));
        c = slots[i].chan;
        for (int k = 0; c && k < c->nends; k++) {
            struct end *e = &c->end[k];

            if (e->fd == -1)
                continue;
            ZERO(pthread_rwlock_wrlock(&e->plain));
            if (e->pipe == p) {
                ATTACHED(e->fd, -1, 0);
                forget_life(e);
            }
            ZERO(pthread_rwlock_unlock(&e->plain));
        }
        ZERO(pthread_rwlock_unlock(&slots[i].lock));
    }
    for (int i = 0; i < OPS; i++) {
        struct op *op = &ops[i];
        int busy = BUSY;

        if (GET(op->state) == BUSY && !GET(op->life) && GET(op->pipe) == p &&
            __atomic_compare_exchange_n(&op->state, &busy, DONE, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            ADD(gone[op->what], 1);
            lose(op);
        }
    }
    for (int i = 0; i < LIVES; i++) {
        struct life *life = &lives[i];
        struct op *op, *next;

        LOCK(&life->mutex);
        if (!life->used || life->pipe != p || life->queued == life->events) {
            UNLOCK(&life->mutex);
            continue;
        }
        op = life->ops;
        ADD(gone[life->chan->is->mixed ? 0 : op->what], life->queued - life->events);
        life->ops = NULL;
        life->events = life->queued;
        unlock_life(life);
        for (; op; op = next) {
            next = op->next;
            set_done(op);
            lose(op);
        }
    }
}

/* Descriptors that are attached to it will be detached: that ends what they have outstanding on other pipes. */
static void detaches_all(struct pipe *p)
{
    for (int i = 0; i < SLOTS; i++) {
        struct chan *c;

        ZERO(pthread_rwlock_rdlock(&slots[i].lock));
        c = slots[i].chan;
        for (int k = 0; c && k < c->nends; k++)
            if (GET(c->end[k].pipe) == p)
                count_cancels(&c->end[k], 7, true);
        ZERO(pthread_rwlock_unlock(&slots[i].lock));
    }
}

/* The caller is in no section. */
static void close_pipe(struct worker *w, int which)
{
    struct pipe *p = GET(pipes[which]), *new;

    if (GET(p->closed) || now_ns() < p->until || pthread_rwlock_trywrlock(&p->lock) != 0)
        return;
    if (p->closed || GET(pipes[which]) != p) {
        pthread_rwlock_unlock(&p->lock);
        return;
    }
    new = open_pipe(w);
    detaches_all(p);
    SET(p->closed, true);
    GIVES(ioevent_close(p->fd), 0);
    SET(pipes[which], new);
    ZERO(pthread_rwlock_unlock(&p->lock));
    sweep(p);
    ADD(pipes_closed, 1);
    retire_pipe(p);
}

/* Returns how many it has posted. */
static int post_some(struct worker *w, struct pipe *p)
{
    struct ioevent e[4];
    struct op *op[4];
    int n = 0, most = 1 + (int)below(w, 4), fit;
    ssize_t r;

    while (n < most && (op[n] = new_op(false))) {
        op[n]->what = POSTED;
        op[n]->value = (uint64_t)below(w, 100) << 32 | next_random(&w->seed) >> 1;
        e[n] = (struct ioevent){ user_of(op[n]), (int)op[n]->value, (int)(op[n]->value >> 32) };
        if (e[n].ioe_errno == EAGAIN || e[n].ioe_errno == EINTR)
            op[n]->value = (uint64_t)(uint32_t)e[n].ioe_result, e[n].ioe_errno = 0;
        begin(op[n], NULL, NULL, p);
        n++;
    }
    if (n == 0)
        return 0;
    errno = 0;
    if (chance(w, 4)) {
        struct iovec iov[2] = { { e, sizeof *e }, { e + 1, (size_t)(n - 1) * sizeof *e } };

        r = ioevent_writev(p->fd, iov, 2);
    } else {
        r = ioevent_write(p->fd, e, (size_t)n * sizeof *e);
    }
    if (r == 0 || r % (ssize_t)sizeof *e > 0 || r > (ssize_t)sizeof e || (r == -1 && errno != EIOEVENTFULL))
        die(op[0], "posting gave %zd, errno %d", r, errno);
    fit = r == -1 ? 0 : (int)(r / (ssize_t)sizeof *e);
    ADD(queued[POSTED], fit);
    ADD(fulls, fit < n);
    for (int i = fit; i < n; i++)
        unbegin(op[i]);
    return fit;
}

static void start_timers(struct worker *w, struct pipe *p)
{
    struct ioevent_op o[4];
    struct op *op[4];
    int n = 0, most = 1 + (int)below(w, 4), taken;

    while (n < most && (op[n] = new_op(false))) {
        op[n]->what = IOEVENT_OP_TIMER;
        op[n]->limit = chance(w, 10) ? 0 : below(w, 40000) * US;
        o[n] = (struct ioevent_op){ .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p->fd, .ioo_user = user_of(op[n]),
                                    .ioo_timeout = nanoseconds(op[n]->limit) };
        begin(op[n], NULL, NULL, p);
        n++;
    }
    if (n == 0)
        return;
    errno = 0;
    taken = ioevent_submit(o, n);
    if (taken == 0 || (taken == -1 && errno != EIOEVENTFULL))
        die(op[0], "timers: ioevent_submit gave %d, errno %d", taken, errno);
    ADD(fulls, taken < n);
    ADD(queued[IOEVENT_OP_TIMER], taken < 0 ? 0 : taken);
    for (int i = taken < 0 ? 0 : taken; i < n; i++)
        unbegin(op[i]);
}

/* A number below the places taken is refused; all others are taken. */
static void resize(struct worker *w, struct pipe *p)
{
    int size = 1 + (int)below(w, 200), r;

    errno = 0;
    r = ioevent_fcntl(p->fd, F_SETIOEVENTSZ, size);
    if (r != size && !(r == -1 && errno == EBUSY))
        die(NULL, "F_SETIOEVENTSZ, %d gave %d, errno %d", size, r, errno);
    CHECK(OK(ioevent_fcntl(p->fd, F_GETIOEVENTSZ)) >= 1);
    CHECK(OK(ioevent_fcntl(p->fd, F_GETIOEVENTCNT)) >= 0);
    ADD(resizes, 1);
}

/* Calls on the number of a pipe that must not be another file's. */
static void act_on_pipe(struct worker *w, enum action action)
{
    struct pipe *p = some_pipe(w);

    if (pthread_rwlock_tryrdlock(&p->lock) != 0)
        return;
    if (p->closed) {
        ;
    } else if (action == A_POST) {
        post_some(w, p);
    } else if (action == A_TIMER) {
        start_timers(w, p);
    } else if (action == A_RESIZE) {
        resize(w, p);
    } else {
        ADD(p->started, 1);
        if (chance(w, 2))
            OK(ioevent_cancel(p->fd));
        else
            OK(ioevent_cancel2(p->fd, 1 << below(w, 3), NULL));
        ADD(p->finished, 1);
    }
    pthread_rwlock_unlock(&p->lock);
}

#endif
