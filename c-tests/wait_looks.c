/*
 * A harvest that does not wait looks for itself: it returns the events of all that was ready when it was called, as
 * many as fit: rule 3.2.
 */
#include "test.h"
#include <sys/timerfd.h>

enum { N = 150 };

static int fd[N][2];
static char b[N][8];

static void run(int flags)
{
    int p = OK(ioeventpipe2(2 * N, flags)), got = 0, n, t;
    struct ioevent e[2 * N];
    struct itimerspec at = { .it_value = { 0, 1000000 } };
    long long since;
    uint64_t ticks;
    char x[8];

    for (int i = 0; i < N; i++) {
        if (i % 3 == 2)
            OK(pipe2(fd[i], O_CLOEXEC));
        else if (i % 3 == 1)
            OK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fd[i]));
        else
            unix_pair(fd[i]);
        ATTACH(fd[i][0], p, i + 1);
    }
    for (int round = 0; round < 30; round++) {
        bool seen[N + 1] = { false };

        for (int i = 0; i < N; i++)
            if (round % 2)
                QUEUED(ioevent_read(fd[i][0], b[i], 8));
            else
                QUEUED(ioevent_poll(fd[i][0], POLLIN));
        if (round % 3 == 0)
            QUIET(p); /* all parked */
        for (int i = 0; i < N; i++)
            OK(write(fd[i][1], "x", 1));
        /* as many as fit, then all the rest at once */
        GIVES(ioevent_wait(p, e, 7, &no_wait), 7);
        n = OK(ioevent_wait(p, e + 7, 2 * N - 7, &no_wait));
        SAME(n + 7, N);
        for (int i = 0; i < N; i++) {
            SAME(e[i].ioe_errno, 0);
            CHECK(!seen[(uintptr_t)e[i].ioe_user]);
            seen[(uintptr_t)e[i].ioe_user] = true;
        }
        QUIET(p);
        for (int i = 0; i < N && round % 2 == 0; i++)
            read_all(fd[i][0], x, 1);
    }

    /* one after the other, with nothing between the cause and the look */
    for (int i = 0; i < 2000; i++) {
        int k = i % N;

        QUEUED(ioevent_read(fd[k][0], b[k], 8));
        if (i % 2)
            QUIET(p);
        OK(write(fd[k][1], "x", 1));
        GIVES(ioevent_wait(p, e, 2, &no_wait), 1);
        SAME((uintptr_t)e[0].ioe_user, k + 1);
        got++;
    }
    SAME(got, 2000);

    /* a timer that has expired */
    t = OK(timerfd_create(CLOCK_MONOTONIC, 0));
    ATTACH(t, p, 999);
    QUEUED(ioevent_read(t, &ticks, sizeof ticks));
    QUIET(p);
    since = now_ns();
    OK(timerfd_settime(t, 0, &at, NULL));
    /* Not by poll(2): if this thread is slow, the library reads it meanwhile (rule 2.7). */
    UNTIL(poll(&(struct pollfd){ .fd = t, .events = POLLIN }, 1, 0) == 1 || now_ns() > since + 20000000);
    GIVES(ioevent_wait(p, e, 2, &no_wait), 1);
    CHECK(e[0].ioe_user == USER(999));
    GIVES(ioevent_close(p), 0);
    for (int i = 0; i < N; i++) {
        OK(close(fd[i][0]));
        OK(close(fd[i][1]));
    }
}

int main(void)
{
    struct rlimit limit;

    OK(getrlimit(RLIMIT_NOFILE, &limit));
    if (limit.rlim_cur < 2 * N + 50 && limit.rlim_max < 2 * N + 50)
        SKIP("too few descriptors");
    run(0);
    run(O_NONBLOCK);
    return 0;
}
