/*
 * Closing a pipe takes its timers with it: who waits in a harvest gets EBADF, and a pipe that has the number afterwards
 * sees none of them: rule 3.7, rule 2.12.
 */
#include "test.h"

enum { N = 500 };

static int p;
static pid_t waiter;

static void *harvester(void *unused)
{
    struct ioevent e;

    TELL_TID(waiter);
    FAILS(ioevent_wait(p, &e, 1, NULL), EBADF);
    return unused;
}

static void submit(long sec, uint64_t *seed)
{
    static struct ioevent_op op[N];

    for (int i = 0; i < N; i++)
        op[i] = (struct ioevent_op){ .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_user = USER(i),
                                     .ioo_timeout = { sec, sec ? 0 : next_random(seed) % 5000000 } };
    GIVES(ioevent_submit(op, N), N);
}

int main(void)
{
    uint64_t seed = 5;
    pthread_t t;
    int fds;

    p = OK(ioeventpipe(1));
    GIVES(ioevent_close(p), 0);
    fds = count_fds();
    for (int round = 0; round < 20; round++) {
        p = OK(ioeventpipe2(N, round % 2 ? O_NONBLOCK : 0));
        submit(round % 4 ? 0 : 3600, &seed);
        if (round % 4 == 0) {
            SET(waiter, 0);
            t = start_thread(harvester, NULL);
            UNTIL_ASLEEP(waiter);
            GIVES(ioevent_close(p), 0);
            ZERO(pthread_join(t, NULL));
        } else { /* some are over already */
            for (int i = 0; i < round / 4; i++)
                breathe();
            GIVES(ioevent_close(p), 0);
        }
        if (round % 3 == 0) {
            p = OK(ioeventpipe(1)); /* most often with the same number */
            SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
            STAYS_QUIET(p);
            GIVES(ioevent_cancel(p), 0);
            GIVES(ioevent_close(p), 0);
        }
    }
    CHECK(count_fds() <= fds + 4);
    return 0;
}
