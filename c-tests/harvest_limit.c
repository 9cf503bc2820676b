/*
 * A harvest ends at its time limit, whatever the descriptors do: when one is ready for the kernel and a try says that
 * it is not (a datagram to a receiver that is full), and when another thread makes events without end for a third one.
 * It does not keep the others from their events either, nor from their operations: rule 3.2.
 */
#include "test.h"

static int p;

/* A datagram socket that poll(2) calls writable while the receiver it sends to takes no more. */
static int sender_to_full(int type, int *receiver, struct address *a)
{
    int s = OK(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    char c = 0;

    *receiver = bound_socket(AF_UNIX, type, a);
    while (sendto(s, &c, 1, MSG_DONTWAIT, SOCKADDR(a), a->length) == 1)
        continue;
    SAME(errno, EAGAIN);
    return s;
}

static int over;

static void *posts(void *pipe)
{
    struct ioevent e = { USER(100), 0, 0 };

    while (!GET(over)) {
        if (ioevent_write(*(int *)pipe, &e, sizeof e) == -1)
            breathe();
    }
    return NULL;
}

static void *takes(void *pipe)
{
    struct ioevent e[16];
    struct timespec t = { 0, 2000000 };

    while (!GET(over))
        (void)ioevent_wait(*(int *)pipe, e, 16, &t);
    return NULL;
}

int main(void)
{
    struct address a;
    struct timespec t = { 0, 40000000 };
    struct ioevent e;
    int receiver, s, fd[2], q;
    char b[8], c[64];
    pthread_t threads[2];

    for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
        p = OK(ioeventpipe2(16, flags));
        s = sender_to_full(SOCK_DGRAM, &receiver, &a);
        ATTACH(s, p, 1);
        QUEUED(ioevent_sendto(s, "hello", 5, 0, SOCKADDR(&a), a.length));
        for (int i = 0; i < 4; i++)
            GIVES(ioevent_wait(p, &e, 1, &t), 0);

        /* the others are served */
        unix_pair(fd);
        ATTACH(fd[0], p, 2);
        for (int i = 0; i < 20; i++) {
            QUEUED(ioevent_read(fd[0], b, sizeof b));
            OK(write(fd[1], "abc", 3));
            EXPECT(p, 2, 3, 0);
        }
        GIVES(ioevent_wait(p, &e, 1, &no_wait), 0);
        GIVES(ioevent_wait(p, &e, 1, &t), 0);

        /* room: it comes */
        OK(recv(receiver, c, sizeof c, 0));
        EXPECT(p, 1, 5, 0);
        /* and can be cancelled */
        while (sendto(s, "x", 1, MSG_DONTWAIT, SOCKADDR(&a), a.length) == 1)
            continue;
        QUEUED(ioevent_sendto(s, "hello", 5, 0, SOCKADDR(&a), a.length));
        GIVES(ioevent_wait(p, &e, 1, &t), 0);
        GIVES(ioevent_cancel(s), 1);
        EXPECT(p, 1, -1, ECANCELED);
        QUIET(p);

        /* another pipe is busy without end */
        q = OK(ioeventpipe2(8, flags));
        SET(over, 0);
        threads[0] = start_thread(posts, &q);
        threads[1] = start_thread(takes, &q);
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        for (int i = 0; i < 4; i++)
            GIVES(ioevent_wait(p, &e, 1, &t), 0);
        OK(write(fd[1], "abc", 3));
        EXPECT(p, 2, 3, 0);
        SET(over, 1);
        ZERO(pthread_join(threads[0], NULL));
        ZERO(pthread_join(threads[1], NULL));
        GIVES(ioevent_close(fd[0]), 0);
        GIVES(ioevent_close(s), 0);
        GIVES(ioevent_close(q), 0);
        GIVES(ioevent_close(p), 0);
        OK(close(fd[1]));
        OK(close(receiver));
    }
    return 0;
}
