/* What the tests of connections that take their time share: a listener whose queue is full, and who comes later. */
#ifndef TEST_CONNECT_H
#define TEST_CONNECT_H

#include "test.h"

#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30
#endif
#ifndef TCP_FASTOPEN_NO_COOKIE
#define TCP_FASTOPEN_NO_COOKIE 34
#endif

/* A TCP listener whose queue is taken by one connection: the next one waits until that is accepted, and longer. */
static inline int full_listener(struct address *a, int *filler)
{
    int l = listener(AF_INET, 0, a);

    *filler = OK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    OK(connect(*filler, SOCKADDR(a), a->length));
    return l;
}

/* Connects to an AF_UNIX listener until its queue is full. */
static inline void fill_backlog(const struct address *a)
{
    int c;

    do
        c = OK(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    while (connect(c, SOCKADDR(a), a->length) == 0);
    SAME(errno, EAGAIN);
    OK(close(c));
}

/* A port of loopback without a listener; it is the caller's until the socket that is returned is closed. */
static inline int closed_port(struct address *a)
{
    return bound_socket(AF_INET, SOCK_STREAM, a);
}

static inline int tcp_socket(void)
{
    return OK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

/* Skips the test where the kernel has no TCP fast open. */
static inline void need_fastopen(void)
{
    struct address a;
    int l = listener(AF_INET, 4, &a), s = tcp_socket();

    if (sendto(s, "hello", 5, MSG_FASTOPEN, SOCKADDR(&a), a.length) == -1 && errno == EOPNOTSUPP)
        SKIP("no TCP fast open here");
    OK(close(s));
    OK(close(l));
}

/* A socket that has been told where to connect and begins with the first write; -1 if there is no such thing here. */
static inline int deferred(struct address *to, bool nonblock)
{
    int s = tcp_socket(), one = 1;

    set_nonblock(s, nonblock);
    if (setsockopt(s, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof one) == -1
        || setsockopt(s, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &one, sizeof one) == -1
        || connect(s, SOCKADDR(to), to->length) == -1) {
        OK(close(s));
        return -1;
    }
    return s;
}

/* What a peer does that comes late: takes all connections of a listener, after a while; ends when told. */
struct taker {
    int listener;
    int taken[8];     /* the sockets; the first is the filler's */
    int n;
    int over;
    pthread_t thread;
};

static inline void *take_all(void *arg)
{
    struct taker *t = arg;
    struct pollfd ready = { .fd = t->listener, .events = POLLIN };

    while (!GET(t->over)) {
        if (poll(&ready, 1, 5) != 1 || GET(t->n) == 8)
            continue;
        t->taken[t->n] = accept4(t->listener, NULL, NULL, SOCK_CLOEXEC);
        if (t->taken[t->n] >= 0)
            ADD(t->n, 1);
    }
    return NULL;
}

static inline void start_taking(struct taker *t, int l)
{
    *t = (struct taker){ .listener = l };
    t->thread = start_thread(take_all, t);
}

static inline void stop_taking(struct taker *t)
{
    SET(t->over, 1);
    ZERO(pthread_join(t->thread, NULL));
    for (int i = 0; i < t->n; i++)
        close(t->taken[i]);
}

#endif
