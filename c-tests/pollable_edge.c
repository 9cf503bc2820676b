/*
 * Who waits for edges on the descriptor of a pipe with O_NONBLOCK, and harvests until EAGAIN, misses nothing:
 * rule 3.6.
 */
#include "test.h"
#include <sys/epoll.h>

static int p, ep;

/* Harvests until EAGAIN, in pieces of this size; returns how many. */
static int until_eagain(int size)
{
    struct ioevent e[8];
    int total = 0;
    ssize_t n;

    while ((n = ioevent_read(p, e, (size_t)size * sizeof *e)) > 0)
        total += (int)((size_t)n / sizeof *e);
    SAME(n, -1);
    SAME(errno, EAGAIN);
    return total;
}

/* Waits for edges until this many events were harvested. */
static void collect(int events, int size)
{
    while (events > 0) {
        struct epoll_event e;

        GIVES(epoll_wait(ep, &e, 1, -1), 1);
        events -= until_eagain(size);
    }
    SAME(events, 0);
}

int main(void)
{
    int fd[2];
    char b[8];
    struct ioevent post[3] = { { USER(1), 1, 0 }, { USER(2), 2, 0 }, { USER(3), 3, 0 } };

    p = OK(ioeventpipe2(16, O_NONBLOCK));
    ep = OK(epoll_create1(0));
    OK(epoll_ctl(ep, EPOLL_CTL_ADD, p, &(struct epoll_event){ .events = EPOLLIN | EPOLLET }));
    for (int which = 0; which < STREAMS; which++) {
        if (!stream_pair(which, fd))
            continue;
        ATTACH(fd[0], p, 4);
        ATTACH(fd[1], p, 5);
        for (int round = 0; round < 60; round++) {
            int size = round % 3 + 1;

            GIVES(ioevent_write(p, post, sizeof post), sizeof post);
            collect(3, size);
            QUEUED(ioevent_read(fd[0], b, 1)); /* waits */
            OK(write(fd[1], "x", 1));
            collect(1, size);
            OK(write(fd[1], "xy", 2));
            QUEUED(ioevent_read(fd[0], b, 1)); /* at once */
            QUEUED(ioevent_read(fd[0], b, 1));
            collect(2, size);
            QUEUED(ioevent_poll(fd[1], POLLOUT));
            collect(1, size);
            QUEUED(ioevent_read(fd[0], b, 1));
            GIVES(ioevent_write(p, post, sizeof *post), sizeof *post);
            collect(1, size);
            GIVES(ioevent_cancel(fd[0]), 1);
            collect(1, size);
            for (int i = 0; i < 4; i++)
                QUEUED(ioevent_read(fd[0], b, 1));
            for (int i = 0; i < 4; i++) {
                OK(write(fd[1], "x", 1));
                if (round % 2)
                    collect(1, size);
            }
            if (round % 2 == 0)
                collect(4, size);
        }
        GIVES(ioevent_close(fd[0]), 0);
        GIVES(ioevent_close(fd[1]), 0);
    }
    return 0;
}
