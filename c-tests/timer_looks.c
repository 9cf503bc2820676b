/*
 * A harvest that does not wait returns the timers whose time is over, as many as fit, even when it has passed only
 * just: rule 3.2, rule 2.12. Threads of the library do not make it miss one.
 */
#include "test.h"

enum { MS = 1000000, N = 100 };

static struct ioevent e[N + 1];

static int harvest(int p, int flags, int most)
{
    ssize_t n;

    if (!(flags & O_NONBLOCK))
        return ioevent_wait(p, e, most, &no_wait);
    n = ioevent_read(p, e, (size_t)most * sizeof *e);
    return n == -1 && errno == EAGAIN ? 0 : (int)(n / (ssize_t)sizeof *e);
}

/* So many timers of a random time below this; afterwards, they are all there at once. */
static void round_of(int p, int flags, int n, uint32_t most, uint64_t *seed)
{
    struct ioevent_op op[N];
    long longest = 0;
    long long over;

    for (int i = 0; i < n; i++) {
        long ns = (long)(next_random(seed) % most);

        longest = ns > longest ? ns : longest;
        op[i] = (struct ioevent_op){ .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_user = USER(i),
                                     .ioo_timeout = { 0, ns } };
    }
    GIVES(ioevent_submit(op, n), n);
    over = now_ns() + longest;
    while (now_ns() < over)
        ;
    if (n > 3) {
        GIVES(harvest(p, flags, 3), 3); /* as many as fit */
        GIVES(harvest(p, flags, N + 1), n - 3);
    } else {
        GIVES(harvest(p, flags, N + 1), n);
    }
    for (int i = 0; i < n && i < N - 3; i++)
        SAME(e[i].ioe_errno, 0);
    GIVES(harvest(p, flags, N + 1), 0);
}

static void run(int flags)
{
    int p = OK(ioeventpipe2(N + 2, flags)), rounds = on_valgrind() ? 40 : 200;
    uint64_t seed = 3;
    struct ioevent_op late = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_timeout = { 3600, 0 } };

    for (int with_late = 0; with_late < 2; with_late++) {
        for (int i = 0; i < rounds; i++) {
            round_of(p, flags, 1, 1, &seed);
            round_of(p, flags, 1, MS, &seed);
            round_of(p, flags, 2, MS / 10, &seed);
            if (i % 10 == 0) {
                round_of(p, flags, N, 2 * MS, &seed);
                round_of(p, flags, 1, 25 * MS, &seed); /* no thread has harvested for long */
            }
        }
        GIVES(ioevent_submit(&late, 1), 1);
    }
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    run(0);
    run(O_NONBLOCK);
    return 0;
}
