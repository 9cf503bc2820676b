/* A process that waits, with operations outstanding, uses no processor time: rule 2.7, rule 3.2. */
#include "test.h"

static int p;

static void *waiter(void *unused)
{
    struct timespec t = { 1, 0 };
    struct ioevent e;

    GIVES(ioevent_wait(p, &e, 1, &t), 0);
    return unused;
}

static long long cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(void)
{
    static int fd[20][2];
    static char out[32 << 20], b[20][4];
    long long before;
    struct timespec second = { 1, 0 };

    p = OK(ioeventpipe(100));
    for (int i = 0; i < 20; i++) {
        if (i % 2)
            unix_pair(fd[i]);
        else
            CHECK(tcp_pair(AF_INET, fd[i]));
        ATTACH(fd[i][0], p, i);
        QUEUED(ioevent_read(fd[i][0], b[i], 4));
        QUEUED(ioevent_poll(fd[i][0], POLLPRI));
        if (i < 4)
            QUEUED(ioevent_write(fd[i][0], out, sizeof out));
    }
    STAYS_QUIET(p);
    before = cpu_ns();
    ZERO(pthread_join(start_thread(waiter, NULL), NULL));
    CHECK(cpu_ns() - before < 300000000);
    before = cpu_ns();
    nanosleep(&second, NULL); /* no thread harvests */
    CHECK(cpu_ns() - before < 300000000);
    return 0;
}
