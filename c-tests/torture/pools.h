/*
 * Where operations and attachments come from, and go to when they are over. Memory that the library may not use is
 * poisoned.
 */
#ifndef TORTURE_POOLS_H
#define TORTURE_POOLS_H

#include "cast.h"

static void *user_of(const struct op *op) { return USER(op->generation << 20 | op->index << 1 | 1); }
static void *user_of_life(const struct life *life) { return USER(life->generation << 20 | life->index << 1); }

static void check_poison(const struct op *op, const char *when)
{
    const unsigned char *p = (const unsigned char *)op->room;
    size_t n = sizeof *op->room + op->size;

    for (size_t i = 0; i < n; i += sizeof poison) {
        size_t k = n - i < sizeof poison ? n - i : sizeof poison;

        if (memcmp(p + i, poison, k) != 0) {
            while (p[i] == POISON)
                i++;
            die(op, "the buffer was touched after its event (%s): byte %zu (data begins at %zu) is %#x", when, i,
                sizeof *op->room, p[i]);
        }
    }
}

static void put_poison(struct op *op)
{
    if (op->poisoned)
        check_poison(op, "when it was forgotten");
    else
        memset(op->room, POISON, sizeof *op->room + op->size);
    op->poisoned = true;
}

static void release(struct op *op)
{
    int big = op->index >= SMALL_OPS;

    put_poison(op);
    SET(op->state, FREE);
    LOCK(&pool_mutex);
    op->next = NULL;
    if (free_ops[big].last)
        free_ops[big].last->next = op;
    else
        free_ops[big].first = op;
    free_ops[big].last = op;
    free_ops[big].n++;
    UNLOCK(&pool_mutex);
}

static struct op *new_op(bool big)
{
    struct op *op = NULL;

    LOCK(&pool_mutex);
    if (free_ops[big].n > (big ? 8 : 200)) {
        op = free_ops[big].first;
        free_ops[big].first = op->next;
        free_ops[big].n--;
    }
    UNLOCK(&pool_mutex);
    if (!op)
        return NULL;
    check_poison(op, "before it is used again");
    memset(&op->what, 0, sizeof *op - offsetof(struct op, what));
    SET(op->life, NULL);
    SET(op->pipe, NULL);
    SET(op->cancel_asked, false);
    SET(op->generation, op->generation + 1);
    op->other[0] = op->other[1] = -1;
    return op;
}

static struct life *new_life(struct chan *c, struct pipe *p)
{
    struct life *life;

    LOCK(&pool_mutex);
    life = free_lives;
    CHECK(life != NULL);
    free_lives = life->next;
    UNLOCK(&pool_mutex);
    LOCK(&life->mutex);
    life->generation++;
    life->queued = life->events = 0;
    life->ops = NULL;
    life->chan = c;
    life->pipe = p;
    life->retired = false;
    SET(life->cancel_asked, false);
    life->used = true;
    UNLOCK(&life->mutex);
    ADD(attachments, 1);
    return life;
}

/* The caller holds its mutex, which is released. */
static void unlock_life(struct life *life)
{
    bool end = life->used && life->retired && life->events == life->queued;

    if (end)
        life->used = false;
    UNLOCK(&life->mutex);
    if (!end)
        return;
    LOCK(&pool_mutex);
    life->next = free_lives;
    free_lives = life;
    UNLOCK(&pool_mutex);
}

static void retire(struct life *life)
{
    LOCK(&life->mutex);
    life->retired = true;
    unlock_life(life);
}

static void conn_put(struct conn *conn)
{
    if (ADD(conn->refs, -1) > 0)
        return;
    GIVES(ioevent_close(conn->fd), 0);
    LOCK(&pool_mutex);
    conn->next = free_conns;
    free_conns = conn;
    UNLOCK(&pool_mutex);
}

#endif
