/*
 * With IOEVENT_INLINE a read does not overtake one that waits: it is queued behind it. Polls have no order with
 * anything: rule 2.8, rule 2.5.
 */
#include "test.h"

static int p;

static void in_line(int fd)
{
    ATTACH(fd, p, fd);
    GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
}

static void arrived(int fd)
{
    GIVES(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, -1), 1);
}

static void reads(int family)
{
    int fd[2];
    char a[8], b[8];

    if (!tcp_pair(family, fd))
        return;
    in_line(fd[0]);
    for (int round = 0; round < 30; round++) {
        QUEUED(ioevent_recv(fd[0], a, 6, MSG_WAITALL));
        OK(write(fd[1], "abc", 3)); /* not all of it */
        if (round % 3 == 0)
            QUIET(p);
        QUEUED(ioevent_read(fd[0], b, 2)); /* may not take it */
        QUEUED(ioevent_recv(fd[0], b + 2, 8, 0));
        OK(write(fd[1], "defghij", 7));
        EXPECT(p, fd[0], 6, 0);
        EXPECT(p, fd[0], 2, 0);
        EXPECT(p, fd[0], 2, 0);
        CHECK(memcmp(a, "abcdef", 6) == 0 && memcmp(b, "ghij", 4) == 0);
        OK(write(fd[1], "k", 1)); /* nothing waits any more */
        arrived(fd[0]);
        GIVES(ioevent_read(fd[0], b, 8), 1);
    }

    /* one that is about to be finished: directly or not, the data is in order */
    for (int round = 0; round < 200; round++) {
        ssize_t n;

        QUEUED(ioevent_read(fd[0], a, 3));
        OK(write(fd[1], "abcdef", 6));
        n = ioevent_read(fd[0], b, 3);
        if (n == -1)
            SAME(errno, EIOEVENTQUEUED);
        EXPECT(p, fd[0], 3, 0);
        if (n == -1)
            EXPECT(p, fd[0], 3, 0);
        else
            SAME(n, 3);
        CHECK(memcmp(a, "abc", 3) == 0 && memcmp(b, "def", 3) == 0);
    }
    GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
}

int main(void)
{
    int fd[2];
    char b[8];

    p = OK(ioeventpipe(8));
    reads(AF_UNIX);
    reads(AF_INET);

    /* reads, writes and polls do not wait for a poll, nor a poll for a read */
    unix_pair(fd);
    in_line(fd[0]);
    QUEUED(ioevent_poll(fd[0], POLLPRI));
    OK(write(fd[1], "abc", 3));
    GIVES(ioevent_read(fd[0], b, 8), 3);
    GIVES(ioevent_write(fd[0], b, 3), 3);
    QUEUED(ioevent_read(fd[0], b, 8));
    GIVES(ioevent_poll(fd[0], POLLOUT), POLLOUT);
    GIVES(ioevent_cancel(fd[0]), 2);
    EXPECT(p, fd[0], -1, ECANCELED);
    EXPECT(p, fd[0], -1, ECANCELED);
    STAYS_QUIET(p);
    return 0;
}
