/*
 * A timer on what is no pipe, or for a time that is none, is refused, and takes no place; the longest of all times is
 * one: rule 2.12, rule 1.4, rule 3.9.
 */
#include "test.h"
#include <sys/timerfd.h>

static int timer(int fd, time_t sec, long nsec)
{
    return ioevent_submit(&(struct ioevent_op){ .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = fd, .ioo_user = USER(1),
                                                .ioo_timeout = { sec, nsec } }, 1);
}

int main(void)
{
    int p = OK(ioeventpipe(8)), fd[2], q[2], copy = OK(dup(p)), was = OK(ioeventpipe(8)), closed = OK(dup2(0, 700));

    unix_pair(fd);
    OK(pipe(q));
    ATTACH(fd[0], p, 1);
    STAYS_QUIET(p); /* whatever the library opens for itself has its number now */
    GIVES(ioevent_close(was), 0);
    OK(close(closed));
    FAILS(timer(closed, 0, 0), EBADF);
    FAILS(timer(was, 0, 0), EBADF);
    for (long ns = 0; ns < 2; ns++) {
        FAILS(timer(fd[0], 0, ns), EINVAL); /* attached, */
        FAILS(timer(fd[1], 0, ns), EINVAL); /* and not */
        FAILS(timer(q[0], 0, ns), EINVAL);
        FAILS(timer(copy, 0, ns), EINVAL); /* a copy of a pipe is none */
        FAILS(timer(OK(timerfd_create(CLOCK_MONOTONIC, 0)), 0, ns), EINVAL);
        FAILS(timer(OK(open("/", O_PATH)), 0, ns), EINVAL);
        FAILS(timer(-1, 0, ns), EBADF);
        FAILS(timer(INT_MAX, 0, ns), EBADF);
        FAILS(timer(INT_MIN, 0, ns), EBADF);
    }
    FAILS(timer(p, 0, -1), EINVAL);
    FAILS(timer(p, -1, 0), EINVAL);
    FAILS(timer(p, -1, 999999999), EINVAL);
    FAILS(timer(p, 0, 1000000000), EINVAL);
    FAILS(timer(p, 5, LONG_MAX), EINVAL);
    FAILS(timer(p, LONG_MIN, LONG_MIN), EINVAL);
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);

    GIVES(timer(p, LONG_MAX, 999999999), 1);
    GIVES(timer(p, LONG_MAX, 0), 1);
    GIVES(timer(p, LONG_MAX / 1000000000, 999999999), 1); /* about as many nanoseconds as fit */
    GIVES(timer(p, 1L << 34, 0), 1);
    GIVES(timer(p, 1L << 32, 0), 1);
    GIVES(timer(p, 0, 999999), 1);
    EXPECT(p, 1, 0, 0); /* only the short one */
    STAYS_QUIET(p);
    GIVES(ioevent_cancel(p), 5);
    for (int i = 0; i < 5; i++)
        EXPECT(p, 1, -1, ECANCELED);
    STAYS_QUIET(p);
    return 0;
}
