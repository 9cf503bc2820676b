/*
 * The log of a channel: what went in comes out.
 */
#ifndef TORTURE_LOG_H
#define TORTURE_LOG_H

#include "pools.h"

static struct op *pop_log(struct chan *c, int which)
{
    struct op *op = c->log[which];

    c->log[which] = op->log;
    if (!op->log)
        c->log_end[which] = NULL;
    c->log_length[which]--;
    return op;
}

/* The first write that carried something and is not used up; NULL if that is not known yet. */
static struct op *first_write(struct chan *c)
{
    for (;;) {
        struct op *w = c->log[OUT];

        if (!w || !w->done)
            return NULL;
        if (w->result > 0 && c->shut)
            die(w, "written after shutdown");
        if (w->result > 0 && c->used < (size_t)w->result)
            return w;
        if (w->what == IOEVENT_OP_SHUTDOWN && w->result == 0)
            c->shut = true;
        release(pop_log(c, OUT));
        c->used = 0;
    }
}

static void compare(const struct op *op, const unsigned char *got, const struct op *w, size_t from, size_t n)
{
    if (memcmp(got, table + w->start + from, n) == 0)
        return;
    for (size_t i = 0; i < n; i++)
        if (got[i] != table[w->start + from + i])
            die(op, "wrong byte: %#x, not %#x, which is byte %zu of %ld of a %s at %zu%s", got[i],
                table[w->start + from + i], from + i, w->result, what_name[w->what], w->start,
                is_all(got + i, POISON, n - i) ? " (poison)" : "");
}

static bool peeks(const struct op *op) { return op->flags & MSG_PEEK && op->direction == IN && !moves_pages(op->what); }

/* Compares n bytes with the log; uses them up if they were not only peeked at. False if the log does not say yet. */
static bool match_stream(struct chan *c, struct op *r)
{
    struct op *w = first_write(c);
    size_t used = c->used, i;

    if (peeks(r)) {
        for (i = r->matched; i < (size_t)r->result;) {
            size_t n;

            while (w && w->done && used >= (size_t)(w->result > 0 ? w->result : 0)) {
                w = w->log;
                used = 0;
            }
            if (!w || !w->done)
                return false;
            n = (size_t)w->result - used < (size_t)r->result - i ? (size_t)w->result - used : (size_t)r->result - i;
            compare(r, r->room->data + i, w, used, n);
            i += n;
            used += n;
        }
        return true;
    }
    while (r->matched < (size_t)r->result) {
        size_t n;

        w = first_write(c);
        if (!w)
            return false;
        n = (size_t)w->result - c->used;
        if (n > (size_t)r->result - r->matched)
            n = (size_t)r->result - r->matched;
        compare(r, r->room->data + r->matched, w, c->used, n);
        r->matched += n;
        c->used += n;
        ADD(bytes_verified, (long)n);
    }
    return true;
}

static bool match_message(struct chan *c, struct op *r)
{
    struct op *w = first_write(c);
    size_t n;

    if (!w)
        return false;
    n = (size_t)w->result < r->len ? (size_t)w->result : r->len;
    if ((size_t)r->result != n)
        die(r, "not the message that was sent, of %ld bytes", w->result);
    compare(r, r->room->data, w, 0, n);
    if (!peeks(r)) {
        c->used = (size_t)w->result;
        ADD(messages_verified, 1);
    }
    return true;
}

/* Goes through what is known by now. The caller holds c->mutex. */
static void verify(struct chan *c)
{
    struct op *r;

    if (c->tainted)
        return;
    while ((r = c->log[IN]) && r->done) {
        if (r->result == 0 && r->len > 0 && !GET(c->ended) && c->kind != K_FILE_READ)
            die(r, "end of file, and nobody ended it");
        if (r->result == 0 && r->len > 0 && c->kind == K_FILE_READ && first_write(c))
            die(r, "end of file before the end");
        if (r->result > 0 && !(c->is->messages ? match_message(c, r) : match_stream(c, r)))
            break;
        release(pop_log(c, IN));
    }
    if (c->kind != K_FILE_WRITE)
        first_write(c);
}

/* What is left in the descriptors themselves when all operations are over. */
static void drain_rest(struct chan *c)
{
    static __thread unsigned char buffer[BIG_ROOM];
    struct pollfd ready = { .fd = c->end[0].fd, .events = POLLIN };
    struct op *w;

    while ((w = first_write(c))) {
        size_t n = (size_t)w->result - c->used;
        ssize_t r;

        if (c->kind == K_FILE_WRITE) {
            GIVES(pread(c->end[1].fd, buffer, n, (off_t)c->sum[0]), n);
            c->sum[0] += n;
            r = (ssize_t)n;
        } else {
            if (poll(&ready, 1, slow() ? 60000 : 10000) != 1)
                die(w, "%zu bytes of it were lost", n);
            r = read(ready.fd, buffer, n);
            if (r <= 0 || (c->is->messages && (size_t)r != n))
                die(w, "reading the rest, %zu bytes of it, gave %zd", n, r);
        }
        compare(w, buffer, w, c->used, (size_t)r);
        c->used += (size_t)r;
        ADD(bytes_verified, r);
    }
    if (c->kind == K_FILE_WRITE) {
        SAME(lseek(c->end[1].fd, 0, SEEK_END), c->sum[0]);
    } else if (poll(&ready, 1, 0) != 0 && !(c->shut && read(ready.fd, buffer, 1) == 0)) {
        errno = 0;
        die(NULL, "more came out of a %s than went in: %zd", c->is->name, read(ready.fd, buffer, sizeof buffer));
    }
}

/* All its operations are over and it is in no slot. */
static void finish(struct chan *c)
{
    uint64_t value = 0;

    LOCK(&c->mutex);
    verify(c);
    if (!c->tainted && c->log[IN])
        die(c->log[IN], "read what nobody wrote (the log of writes begins with %ld bytes of %s)",
            c->log[OUT] ? c->log[OUT]->result : -1, c->log[OUT] ? what_name[c->log[OUT]->what] : "nothing");
    if (c->graceful && !c->tainted) {
        if ((c->is->stream && c->kind != K_FILE_READ) || c->is->messages)
            drain_rest(c);
        if (c->kind == K_COUNTER) {
            set_nonblock(c->end[0].fd, true);
            if (read(c->end[0].fd, &value, sizeof value) == -1)
                SAME(errno, EAGAIN);
            set_nonblock(c->end[0].fd, c->end[0].file_flags & O_NONBLOCK);
            SAME(c->sum[IN] + value, c->sum[OUT]);
        }
    }
    for (int which = 0; which < 2; which++)
        while (c->log[which])
            release(pop_log(c, which));
    for (int i = 0; i < c->ndups; i++)
        OK(close(c->dup[i]));
    for (int i = 0; i < ENDS && c->graceful; i++) {
        if (c->end[i].fd == -1)
            continue;
        SAME(fcntl(c->end[i].fd, F_GETFL), c->end[i].file_flags);
        if (c->end[i].fd % 2)
            OK(close(c->end[i].fd));
        else
            GIVES(ioevent_close(c->end[i].fd), 0);
    }
    UNLOCK(&c->mutex);
    ADD(chans_closed, 1);
    ADD(live_chans, -1);
    LOCK(&pool_mutex);
    c->next = free_chans;
    free_chans = c;
    UNLOCK(&pool_mutex);
}

#endif
