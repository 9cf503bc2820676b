/*
 * What the tests of a thread that is alone share: connections over which numbered messages go, one at a time on each.
 * The program says before how many: CONNECTIONS, and MESSAGES on each.
 */
#ifndef TEST_MESSAGES_H
#define TEST_MESSAGES_H

#include "test.h"

static struct connection {
    int reads, writes; /* the two ends */
    uint32_t sent, received;
    uint32_t out[MESSAGES], in[2]; /* more room than a message needs: then a read proves that no more is there */
} connections[CONNECTIONS];

/* User pointers: four times the connection, and what it is about. Whatever else a program needs begins with OTHER. */
enum { READ, WRITE, OTHER };

static inline struct connection *connection_of(const struct ioevent *e)
{
    return &connections[(uintptr_t)e->ioe_user / 4 % CONNECTIONS];
}

static inline int about(const struct ioevent *e)
{
    return (int)((uintptr_t)e->ioe_user % 4);
}

static inline void send_next(struct connection *c)
{
    if (c->sent < MESSAGES) {
        c->out[c->sent] = c->sent;
        QUEUED(ioevent_write(c->writes, &c->out[c->sent++], sizeof c->in[0]));
    }
}

/* Makes and attaches all of them, and begins to read and to send. */
static inline void open_connections(int p)
{
    for (int i = 0; i < CONNECTIONS; i++) {
        int fd[2];

        CHECK(tcp_pair(AF_INET, fd));
        connections[i] = (struct connection){ .reads = fd[0], .writes = fd[1] };
        ATTACH(fd[0], p, 4 * i + READ);
        ATTACH(fd[1], p, 4 * i + WRITE);
        QUEUED(ioevent_read(fd[0], connections[i].in, sizeof connections[i].in));
        send_next(&connections[i]);
    }
}

/* The event of a read or a write: one whole message. For a read, says whether another has been queued for the next
 * message, which is to be sent then. */
static inline bool took_message(const struct ioevent *e)
{
    struct connection *c = connection_of(e);

    SAME(e->ioe_errno, 0);
    SAME(e->ioe_result, sizeof c->in[0]);
    if (about(e) != READ)
        return false;
    SAME(c->in[0], c->received);
    if (++c->received == MESSAGES)
        return false;
    QUEUED(ioevent_read(c->reads, c->in, sizeof c->in));
    return true;
}

#endif
