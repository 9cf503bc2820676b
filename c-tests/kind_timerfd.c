/* A timerfd can be attached, blocking or not: a read gives the expirations: rule 4.1. */
#include "test.h"
#include <sys/timerfd.h>

static void run(int flags)
{
    int p = OK(ioeventpipe(8)), fd = OK(timerfd_create(CLOCK_MONOTONIC, flags));
    struct itimerspec at = { .it_value = { 0, 20000000 } };
    uint64_t n[2] = { 0, 0 };
    long long start;

    ATTACH(fd, p, 1);
    QUEUED(ioevent_read(fd, &n[0], 8));
    STAYS_QUIET(p); /* not armed */
    start = now_ns();
    OK(timerfd_settime(fd, 0, &at, NULL));
    EXPECT(p, 1, 8, 0);
    CHECK(now_ns() - start >= 20000000);
    SAME(n[0], 1);
    QUEUED(ioevent_read(fd, &n[0], 8));
    STAYS_QUIET(p); /* it expires once */

    /* a period: one read after the other */
    at.it_interval.tv_nsec = at.it_value.tv_nsec = 1000000;
    QUEUED(ioevent_read(fd, &n[1], 8));
    OK(timerfd_settime(fd, 0, &at, NULL));
    EXPECT(p, 1, 8, 0);
    EXPECT(p, 1, 8, 0);
    CHECK(n[0] >= 1 && n[1] >= 1);
    QUEUED(ioevent_poll(fd, POLLIN));
    EXPECT(p, 1, POLLIN, 0);
    EITHER(ioevent_read(fd, n, 4), p, 1, EINVAL);
    GIVES(ioevent_close(fd), 0);
    STAYS_QUIET(p);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    run(0);
    run(TFD_NONBLOCK);
    return 0;
}
