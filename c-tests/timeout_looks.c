/*
 * A harvest that does not wait returns the operations whose timeout has passed, as many as fit, even when it has passed
 * only just: rule 3.2, rule 4.6. A pollable pipe becomes readable for them while no thread harvests: rule 3.6, rule
 * 2.7.
 */
#include "test.h"

enum { MS = 1000000, N = 60 };

static int fd[N][2];
static char b[N][8];
static struct ioevent e[N + 1];

/* One read on each of n descriptors, with random limits below this; afterwards all have timed out at once. */
static void round_of(int p, int n, uint32_t most, uint64_t *seed)
{
    long long over = 0;

    for (int i = 0; i < n; i++) {
        long ns = (long)(next_random(seed) % most) + 1;
        long long its;

        GIVES(ioevent_fcntl(fd[i][0], F_SETIOEVENTTIMEO, &(struct timespec){ 0, ns }), 0);
        if (i % 4 == 3)
            QUEUED(ioevent_poll(fd[i][0], POLLIN));
        else
            QUEUED(ioevent_read(fd[i][0], b[i], 8));
        its = now_ns() + ns;
        over = its > over ? its : over;
    }
    while (now_ns() < over)
        ;
    if (n > 7) {
        GIVES(ioevent_wait(p, e, 7, &no_wait), 7);
        GIVES(ioevent_wait(p, e + 7, N - 6, &no_wait), n - 7);
    } else {
        GIVES(ioevent_wait(p, e, N + 1, &no_wait), n);
    }
    for (int i = 0; i < n; i++)
        CHECK(e[i].ioe_result == -1 && e[i].ioe_errno == ETIMEDOUT);
    QUIET(p);
}

static void run(int flags)
{
    int p = OK(ioeventpipe2(N + 2, flags)), rounds = on_valgrind() ? 30 : 200;
    uint64_t seed = 9;

    for (int i = 0; i < N; i++)
        ATTACH(fd[i][0], p, i);
    for (int i = 0; i < rounds; i++) {
        round_of(p, 1, 2 * MS, &seed);
        round_of(p, 2, MS / 10, &seed);
        if (i % 10 == 0) {
            round_of(p, N, MS, &seed);
            round_of(p, 1, 25 * MS, &seed); /* no thread has harvested for long */
        }
    }
    for (int i = 0; i < 20 && flags; i++) { /* nobody looks until it is readable */
        struct pollfd f = { .fd = p, .events = POLLIN };
        long ns = (long)(next_random(&seed) % (12 * MS)) + 1;
        long long start = now_ns();

        GIVES(ioevent_fcntl(fd[0][0], F_SETIOEVENTTIMEO, &(struct timespec){ 0, ns }), 0);
        QUEUED(ioevent_read(fd[0][0], b[0], 8));
        do
            GIVES(poll(&f, 1, -1), 1);
        while (ioevent_read(p, e, sizeof e) == -1 && errno == EAGAIN);
        SAME(e[0].ioe_errno, ETIMEDOUT);
        CHECK(now_ns() - start >= ns);
    }
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int i = 0; i < N; i++)
        unix_pair(fd[i]);
    run(0);
    run(O_NONBLOCK);
    return 0;
}
