/*
 * Echo: what a client sends comes back, whole and in order.
 */
#ifndef SERVER_ECHO_H
#define SERVER_ECHO_H

#include "server_io.h"

enum { CONNECTIONS = 4 };

struct conn {
    struct io io;
    int fd;
    bool writing;
    char buffer[65536];
};

static struct conn conns[CONNECTIONS];
static struct io listening_io;
static int listening, nconns;
static struct address where;

static void give_up(struct conn *conn, int err)
{
    fails("echo", err);
    shutdown(conn->fd, SHUT_RDWR);
}

static void conn_on(struct io *io, int result, int err)
{
    struct conn *conn = (struct conn *)io;
    ssize_t r;

    if (result <= 0) {
        if (is_refusal(err))
            give_up(conn, err);
        return;
    }
    conn->writing = !conn->writing;
    r = conn->writing ? ioevent_write(conn->fd, conn->buffer, (size_t)result)
                      : ioevent_read(conn->fd, conn->buffer, sizeof conn->buffer);
    if (r == -1 && errno != EIOEVENTQUEUED)
        give_up(conn, errno);
}

static void accept_on(struct io *io, int result, int err)
{
    struct conn *conn = &conns[nconns];

    (void)io;
    if (result < 0) {
        if (err == ECANCELED)
            return;
        /* a client that connects is not served */
        fails("accept", err);
        shutdown(listening, SHUT_RDWR);
        return;
    }
    nconns++;
    conn->fd = result;
    conn->io.on = conn_on;
    if (ioevent_fcntl(result, F_SETIOEVENTPIPE, p, (void *)conn) != 0
        || (ioevent_read(result, conn->buffer, sizeof conn->buffer) == -1 && errno != EIOEVENTQUEUED))
        give_up(conn, errno);
    if (nconns < CONNECTIONS && ioevent_accept(listening, NULL, NULL) == -1 && errno != EIOEVENTQUEUED) {
        fails("accept", errno);
        shutdown(listening, SHUT_RDWR);
    }
}

static int clients[CONNECTIONS];

static void *send_big(void *argument)
{
    static char big[BIG];
    int fd = *(int *)argument;

    fill(big, BIG, 7);
    for (size_t done = 0; done < BIG;) {
        ssize_t n = send(fd, big + done, BIG - done, MSG_NOSIGNAL);

        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return NULL;
}

static void echo(void)
{
    static char big[BIG], back[BIG];

    listening = listener(AF_INET, CONNECTIONS, &where);
    listening_io.on = accept_on;
    if (!attached("echo", listening, &listening_io) || !queued("accept", ioevent_accept(listening, NULL, NULL)))
        return;
    fill(big, BIG, 7);
    for (int i = 0; i < CONNECTIONS; i++) {
        int size = 8192;

        clients[i] = OK(socket(AF_INET, SOCK_STREAM, 0));
        OK(setsockopt(clients[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof size));
        if (connect(clients[i], SOCKADDR(&where), where.length) != 0) {
            CHECK(strstr(failing, "accept"));
            return;
        }
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        pthread_t sender;
        size_t done = 0;
        ssize_t n;

        SAME(pthread_create(&sender, NULL, send_big, &clients[i]), 0);
        while (done < BIG && (n = recv(clients[i], back + done, BIG - done, 0)) > 0)
            done += (size_t)n;
        shutdown(clients[i], done < BIG ? SHUT_RDWR : SHUT_WR);
        pthread_join(sender, NULL);
        /* what came is what was sent; less came only if something was refused */
        CHECK(memcmp(big, back, done) == 0);
        CHECK(done == BIG || strstr(failing, "echo") || strstr(failing, "accept"));
    }
}

#endif
