/*
 * Harvests of all kinds.
 */
#ifndef TORTURE_HARVEST_H
#define TORTURE_HARVEST_H

#include "pipes.h"

static void take_events(const struct ioevent *e, int n)
{
    for (int i = 0; i < n; i++)
        take_event(&e[i]);
    ADD(harvests, n > 0);
}

/* Harvests once. Returns how many there were. */
static int harvest_wait(struct pipe *p, int room, long long ns)
{
    struct ioevent e[256];
    struct timespec t = nanoseconds(ns);
    int n;

    errno = 0;
    n = ioevent_wait(p->fd, e, room, &t);
    if (n > room || n < -1 || (n == -1 && !((errno == EBADF || errno == EINVAL) && GET(p->closed))))
        die(NULL, "ioevent_wait for %d gave %d, errno %d", room, n, errno);
    take_events(e, n);
    return n;
}

/* The same with read, which may wait for ever, or after poll. */
static void harvest_read(struct worker *w, struct pipe *p)
{
    struct ioevent e[64];
    struct pollfd ready = { .fd = p->fd, .events = POLLIN };
    size_t room = 1 + below(w, 64);
    struct iovec iov[2] = { { e, sizeof *e }, { e + 1, (room - 1) * sizeof *e } };
    ssize_t r;

    if (pthread_rwlock_tryrdlock(&p->lock) != 0)
        return;
    if (!p->closed && (p->nonblock || (chance(w, 20) && (threads > 0 || post_some(w, p) > 0)))) {
        if (p->nonblock && chance(w, 4))
            poll(&ready, 1, 3);
        ADD(p->readers, !p->nonblock);
        errno = 0;
        r = chance(w, 4) ? ioevent_readv(p->fd, iov, 2) : ioevent_read(p->fd, e, room * sizeof *e);
        ADD(p->readers, -!p->nonblock);
        if (r == 0 || r > (ssize_t)(room * sizeof *e) || r % (ssize_t)sizeof *e > 0 ||
            (r == -1 && !(errno == EAGAIN && p->nonblock)))
            die(NULL, "ioevent_read of a pipe gave %zd, errno %d", r, errno);
        if (r > 0)
            take_events(e, (int)(r / (ssize_t)sizeof *e));
    }
    pthread_rwlock_unlock(&p->lock);
}

/* For ever; it posts something before, so that it does not wait for long, unless others take that. */
static void harvest_for_ever(struct worker *w, struct pipe *p)
{
    struct ioevent e[64];
    int room = 1 + (int)below(w, 64), n;

    if (pthread_rwlock_tryrdlock(&p->lock) != 0)
        return;
    if (!p->closed && post_some(w, p) > 0) {
        ADD(p->readers, 1);
        errno = 0;
        n = ioevent_wait(p->fd, e, room, NULL);
        ADD(p->readers, -1);
        if (n < 1 || n > room)
            die(NULL, "ioevent_wait for %d, for ever, gave %d, errno %d", room, n, errno);
        take_events(e, n);
    }
    pthread_rwlock_unlock(&p->lock);
}

static void harvest(struct worker *w)
{
    static const int rooms[] = { 1, 2, 16, 64, 256 };
    static const int waits[] = { 0, 0, 0, 100, 1000, 20000 };
    struct pipe *p = some_pipe(w);

    if (chance(w, 3))
        harvest_read(w, p);
    else if (chance(w, threads > 0 ? 10 : 3))
        harvest_for_ever(w, p);
    else
        /* In one thread nothing else is done meanwhile: seldom for long. */
        harvest_wait(p, ONE_OF(rooms, LENGTH(rooms)),
                     ONE_OF(waits, threads > 0 || chance(w, 30) ? LENGTH(waits) : 4) * US);
}

#endif
