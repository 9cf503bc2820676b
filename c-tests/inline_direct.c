/*
 * With IOEVENT_INLINE a call that can be finished at once gives its result directly, changes no errno, takes no place
 * and makes no event; else it is queued: rule 2.8, rule 5.1.
 */
#include "test.h"
#include <sys/eventfd.h>

#define DIRECT(call, result)                                                    \
    do {                                                                        \
        TEST_HERE(#call);                                                       \
        errno = 4321;                                                           \
        long long r_ = (long long)(call), e_ = (long long)(result);             \
        if (r_ != e_ || errno != 4321)                                          \
            test_fail(&test_place_, errno, "gave %lld, not %lld directly", r_, e_); \
    } while (0)

static int p;

static void in_line(int fd)
{
    ATTACH(fd, p, fd);
    GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
}

static void streams(int which)
{
    int fd[2];
    char a[8], b[8];
    struct iovec iov[2] = { { a, 2 }, { b, 2 } };

    if (!stream_pair(which, fd))
        return;
    in_line(fd[0]);
    in_line(fd[1]);
    for (int round = 0; round < 3; round++) {
        DIRECT(ioevent_write(fd[1], "abcd", 4), 4);
        UNTIL(poll(&(struct pollfd){ .fd = fd[0], .events = POLLIN }, 1, 0) == 1);
        DIRECT(ioevent_poll(fd[0], POLLIN), POLLIN);
        DIRECT(ioevent_poll(fd[1], POLLOUT), POLLOUT);
        DIRECT(ioevent_read(fd[0], a, 1), 1);
        DIRECT(ioevent_read(fd[0], a + 1, 7), 3);
        CHECK(memcmp(a, "abcd", 4) == 0);
        DIRECT(ioevent_writev(fd[1], iov, 1), 2);
        UNTIL(poll(&(struct pollfd){ .fd = fd[0], .events = POLLIN }, 1, 0) == 1);
        DIRECT(ioevent_readv(fd[0], iov, 2), 2);

        /* nothing there: queued */
        QUEUED(ioevent_poll(fd[0], POLLIN));
        QUEUED(ioevent_read(fd[0], b, 8));
        SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), 2);
        QUIET(p);
        GIVES(ioevent_cancel(fd[0]), 2);
        EXPECT(p, fd[0], -1, ECANCELED);
        EXPECT(p, fd[0], -1, ECANCELED);
    }
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
    GIVES(ioevent_close(fd[1]), 0);
    UNTIL(poll(&(struct pollfd){ .fd = fd[0], .events = POLLIN }, 1, 0) == 1);
    DIRECT(ioevent_read(fd[0], b, 8), 0); /* the end of the file */
    GIVES(ioevent_close(fd[0]), 0);
}

int main(void)
{
    int e = OK(eventfd(3, 0));
    uint64_t value;

    p = OK(ioeventpipe(4));
    for (int which = 0; which < STREAMS; which++)
        streams(which);
    in_line(e);
    DIRECT(ioevent_read(e, &value, sizeof value), sizeof value);
    DIRECT(ioevent_write(e, &value, sizeof value), sizeof value);
    STAYS_QUIET(p);
    return 0;
}
