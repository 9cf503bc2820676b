/*
 * What the threads do, and when they pause.
 */
#ifndef TORTURE_THREADS_H
#define TORTURE_THREADS_H

#include "channels.h"
#include "connect.h"
#include "harvest.h"

static void act_on_slot(struct worker *w, enum action action)
{
    struct slot *slot = &slots[below(w, SLOTS)];
    bool exclusive = action == A_MOVE, reopen = action == A_CLOSE;
    struct chan *c;

    if (!reopen) {
        ZERO(exclusive ? pthread_rwlock_wrlock(&slot->lock) : pthread_rwlock_rdlock(&slot->lock));
        c = slot->chan;
        reopen = !c || (GET(c->tainted) && chance(w, 4));
        if (c && !reopen) {
            struct end *e = &c->end[below(w, (uint32_t)c->nends)];
            bool locks = action == A_DETACH || action == A_ATTACH || action == A_TIMEO || action == A_FLAGS;

            if (e->fd == -1) {
                ;
            } else if (locks) {
                ZERO(pthread_rwlock_wrlock(&e->plain));
                if (action == A_DETACH)
                    detach(e);
                else if (action == A_ATTACH && !e->pipe && e->last)
                    attach(c, e, e->last); /* to the same: somebody may be submitting */
                else if (action != A_ATTACH)
                    set_up(w, e, action == A_FLAGS);
                ZERO(pthread_rwlock_unlock(&e->plain));
            } else if (exclusive) {
                move(w, c, e);
            } else if (action == A_OPERATE) {
                if (!GET(e->pipe))
                    action = A_ATTACH;
                else
                    operate(w, c, e);
            } else if (action == A_CANCEL) {
                cancel(w, e);
            } else if (action == A_DUP) {
                copy(w, c, e);
            } else if (action == A_CONNECT && c->address.length > 0 && !c->is->mixed) {
                connect_some(w, c);
            }
        }
        ZERO(pthread_rwlock_unlock(&slot->lock));
    }
    if (reopen)
        change_slot(w, slot);
}

static enum action some_action(struct worker *w)
{
    static const struct { unsigned char weight; enum action action; } weights[] = {
        { 90, A_HARVEST }, { 100, A_OPERATE }, { 6, A_CANCEL }, { 2, A_DETACH }, { 12, A_ATTACH }, { 10, A_MOVE },
        { 2, A_TIMEO }, { 4, A_FLAGS }, { 3, A_DUP }, { 3, A_CLOSE }, { 8, A_CONNECT }, { 5, A_POST }, { 5, A_TIMER },
        { 1, A_CANCEL_TIMERS }, { 1, A_RESIZE }, { 1, A_CLOSE_PIPE }, { 1, A_EXIT },
    };
    uint32_t total = 0, r;
    unsigned i;

    for (i = 0; i < LENGTH(weights); i++)
        total += weights[i].weight;
    r = below(w, total);
    for (i = 0; r >= weights[i].weight; i++)
        r -= weights[i].weight;
    return weights[i].action;
}

static void act(struct worker *w, enum action action)
{
    if (action == A_CLOSE_PIPE) {
        close_pipe(w, (int)below(w, PIPES));
        return;
    }
    enter(w);
    switch (action) {
    case A_HARVEST:
        harvest(w);
        break;
    case A_POST:
    case A_TIMER:
    case A_CANCEL_TIMERS:
    case A_RESIZE:
        act_on_pipe(w, action);
        break;
    default:
        act_on_slot(w, action);
    }
    leave(w);
}

static void *work(void *arg)
{
    struct worker *w = arg;

    while (!GET(over)) {
        enum action action = some_action(w);

        if (GET(pausing)) {
            SET(w->parked, true);
            while (GET(pausing))
                breathe();
            SET(w->parked, false);
            continue;
        }
        if (action_mask >> action & 1)
            continue;
        if (action != A_EXIT)
            act(w, action);
        else if (chance(w, 200))
            break;
    }
    SET(w->exited, true);
    return NULL;
}

/* Without threads: what they would do, in this one. */
static void act_without_threads(struct worker *w)
{
    enum action action = some_action(w);

    if (action != A_EXIT && !(action_mask >> action & 1))
        act(w, action);
}

/* Threads that have ended are replaced. */
static void tend(void)
{
    for (int i = 0; i < threads; i++)
        if (GET(workers[i].exited) && !GET(over)) {
            ZERO(pthread_join(workers[i].thread, NULL));
            workers[i].exited = false;
            deaths++;
            workers[i].thread = start_thread(work, &workers[i]);
        }
}

static void pause_all(struct worker *w)
{
    SET(pausing, 1);
    for (int i = 0; i < threads; i++)
        while (!GET(workers[i].parked) && !GET(workers[i].exited)) {
            enter(w);
            for (int k = 0; k < PIPES; k++) { /* a thread that waits in a read has to be given something */
                struct pipe *p = GET(pipes[k]);

                if (GET(p->readers) == 0 || pthread_rwlock_tryrdlock(&p->lock) != 0)
                    continue;
                if (!p->closed) {
                    OK(ioevent_fcntl(p->fd, F_SETIOEVENTSZ, OPS)); /* it may be full of what waits */
                    post_some(w, p);
                }
                pthread_rwlock_unlock(&p->lock);
            }
            leave(w);
            breathe();
        }
}

static void resume(void)
{
    SET(pausing, 0);
    for (int i = 0; i < threads; i++) /* or one of them might miss the next pause */
        UNTIL(!GET(workers[i].parked));
}

#endif
