/*
 * What is done to descriptors: cancel, detach, attach, settings, dup.
 */
#ifndef TORTURE_DESCRIPTORS_H
#define TORTURE_DESCRIPTORS_H

#include "pools.h"

static void count_cancels(struct end *e, int directions, bool before)
{
    for (int d = 0; d < DIRECTIONS; d++)
        if (directions & 1 << d)
            ADD(*(before ? &e->started[d] : &e->finished[d]), 1);
}

static void cancel(struct worker *w, struct end *e)
{
    struct pipe *p = GET(e->pipe);
    long detaches = GET(e->detaches);
    int n, directions = IOEVENT_CANCEL_ALL, err;
    void *user = GET(e->lately);

    errno = 0;
    if (chance(w, 3)) {
        count_cancels(e, directions, true);
        n = ioevent_cancel(e->fd);
    } else if (chance(w, 2)) {
        directions = 1 + (int)below(w, 7);
        count_cancels(e, directions, true);
        n = ioevent_cancel2(e->fd, directions, NULL);
    } else {
        uint64_t u = (uint64_t)(uintptr_t)user;
        unsigned index = (unsigned)(u >> 1) & 0x7ffff;

        if (u & 1)
            SET(ops[index].cancel_asked, true);
        else
            SET(lives[index].cancel_asked, true);
        n = ioevent_cancel2(e->fd, (1 + (int)below(w, 7)) | IOEVENT_CANCEL_USER, user);
        directions = 0;
        if (u & 1 && n > 1)
            die(NULL, "ioevent_cancel2 ended %d operations with one user pointer", n);
    }
    err = errno;
    count_cancels(e, directions, false);
    if (n > 200 || (n == -1 && !(err == EINVAL && (!p || GET(p->closed) || detaches % 2 ||
                                                   GET(e->detaches) != detaches))))
        die(NULL, "cancel gave %d errno %d", n, err);
}

/* The caller holds e->plain for writing, or nobody else knows the end. */
static void forget_life(struct end *e)
{
    if (e->life)
        retire(e->life);
    e->life = NULL;
    SET(e->pipe, NULL);
    e->flags = 0;
}

static void detach(struct end *e)
{
    ADD(e->detaches, 1);
    count_cancels(e, 7, true);
    DETACH(e->fd);
    count_cancels(e, 7, false);
    forget_life(e);
    ATTACHED(e->fd, -1, 0);
    ADD(e->detaches, 1);
}

/* Attaches to this pipe, unless it is being closed. The caller keeps others from doing so. */
static bool attach(struct chan *c, struct end *e, struct pipe *p)
{
    struct life *life;
    bool done = false;

    if (pthread_rwlock_tryrdlock(&p->lock) != 0)
        return false;
    if (!GET(p->closed)) {
        life = new_life(c, p);
        ATTACH(e->fd, p->fd, user_of_life(life));
        ATTACHED(e->fd, p->fd, user_of_life(life));
        SAME(ioevent_fcntl(e->fd, F_GETIOEVENTFLAGS), e->flags);
        if (e->life)
            retire(e->life);
        e->life = life;
        e->last = p;
        SET(e->pipe, p);
        done = true;
    }
    pthread_rwlock_unlock(&p->lock);
    return done;
}

static struct pipe *some_pipe(struct worker *w) { return GET(pipes[below(w, PIPES)]); }

/* To another pipe, or with another user pointer. The caller holds the slot for writing. */
static void move(struct worker *w, struct chan *c, struct end *e)
{
    struct pipe *old = e->pipe;

    if (!old) {
        attach(c, e, some_pipe(w));
    } else if (pthread_rwlock_tryrdlock(&old->lock) == 0) {
        if (old->closed)
            forget_life(e);
        attach(c, e, some_pipe(w));
        pthread_rwlock_unlock(&old->lock);
    }
}

/* Time limit, or flags. The caller holds e->plain for writing. */
static void set_up(struct worker *w, struct end *e, bool flags)
{
    struct pipe *p = e->pipe;

    if (!p || pthread_rwlock_tryrdlock(&p->lock) != 0)
        return;
    if (p->closed) {
        ;
    } else if (flags) {
        e->flags = ONE_OF(((int[]){ 0, IOEVENT_INLINE, IOEVENT_INLINE, IOEVENT_POLLONLY | IOEVENT_INLINE }), 4);
        GIVES(ioevent_fcntl(e->fd, F_SETIOEVENTFLAGS, e->flags), 0);
    } else {
        long long limit = chance(w, 2) ? 0 : 5 * MS + below(w, 20000) * US, old = e->timeo;
        struct timespec t = nanoseconds(limit), got;

        if (limit && (!old || limit < old))
            SET(e->timeo, limit);
        GIVES(ioevent_fcntl(e->fd, F_SETIOEVENTTIMEO, &t), 0);
        GIVES(ioevent_fcntl(e->fd, F_GETIOEVENTTIMEO, &got), 0);
        SAME(got.tv_sec * SECOND + got.tv_nsec, limit);
    }
    pthread_rwlock_unlock(&p->lock);
}

/* A copy that is not attached, and keeps the open file alive. */
static void copy(struct worker *w, struct chan *c, struct end *e)
{
    LOCK(&c->order);
    if (c->ndups == 2) {
        OK(close(c->dup[--c->ndups]));
    } else {
        int fd = chance(w, 2) ? OK(dup(e->fd)) : OK(ioevent_fcntl(e->fd, F_DUPFD_CLOEXEC, 0));

        ATTACHED(fd, -1, 0);
        c->dup[c->ndups++] = fd;
    }
    UNLOCK(&c->order);
}

#endif
