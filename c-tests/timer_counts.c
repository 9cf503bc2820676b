/*
 * Many timers, cancelled by user pointer in any order, while others run out: each cancel counts exactly those that it
 * ends, and each timer has one event: rules 2.2, 2.12, 4.7.
 */
#include "test.h"

enum { TIMERS = 6000, USERS = 37, ROUNDS = 60 };

static int p, q;
static int left[USERS];     /* timers for an hour with that pointer */
static int short_ones;      /* timers for a moment: how many there were */
static int cancelled, over; /* events to come, and seen */

static void timer(int to, uintptr_t user, long long ns)
{
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = to, .ioo_user = USER(user),
                             .ioo_timeout = { ns / 1000000000, ns % 1000000000 } };

    GIVES(ioevent_submit(&op, 1), 1);
}

static void harvest(int want_cancelled, bool all_short)
{
    while (want_cancelled > 0 || (all_short && over < short_ones)) {
        struct ioevent e = HARVEST(p);

        if (e.ioe_result == 0) {
            SAME(e.ioe_errno, 0);
            CHECK(e.ioe_user == USER(1000));
            over++;
        } else {
            SAME(e.ioe_result, -1);
            SAME(e.ioe_errno, ECANCELED);
            CHECK((uintptr_t)e.ioe_user < USERS);
            want_cancelled--;
            cancelled++;
        }
    }
    SAME(want_cancelled, 0);
    CHECK(over <= short_ones);
}

int main(void)
{
    uint64_t random = 88172645463325252;
    int all = 0;

    p = OK(ioeventpipe(2 * TIMERS));
    q = OK(ioeventpipe(10));
    for (uintptr_t u = 0; u < 5; u++)
        timer(q, u, 3600000000000);
    for (int i = 0; i < TIMERS; i++) {
        int u = (int)(next_random(&random) % USERS);

        timer(p, (uintptr_t)u, 3600000000000 + (long long)next_random(&random));
        left[u]++;
        all++;
    }
    for (int round = 0; round < ROUNDS; round++) {
        int u = (int)(next_random(&random) % USERS), n = (int)(next_random(&random) % 200);

        for (int i = 0; i < 20; i++) { /* with a pointer of their own: they run out meanwhile */
            timer(p, 1000, 1 + (long long)(next_random(&random) % 3000000));
            short_ones++;
        }
        SAME(ioevent_cancel2(p, IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(2000)), 0);
        GIVES(ioevent_cancel2(p, 1 + round % 7 + IOEVENT_CANCEL_USER, USER(u)), left[u]);
        harvest(left[u], false);
        all -= left[u];
        left[u] = 0;
        GIVES(ioevent_cancel2(p, IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(u)), 0);
        for (int i = 0; i < n; i++) {
            int v = (int)(next_random(&random) % USERS);

            timer(p, (uintptr_t)v, 1800000000000 + (long long)next_random(&random));
            left[v]++;
            all++;
        }
        SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), all + short_ones - over);
    }
    harvest(0, true);
    SAME(over, short_ones);
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), all);
    GIVES(ioevent_cancel(p), all);
    harvest(all, false);
    STAYS_QUIET(p);
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
    SAME(ioevent_fcntl(q, F_GETIOEVENTCNT), 5);
    GIVES(ioevent_cancel2(q, IOEVENT_CANCEL_IN | IOEVENT_CANCEL_USER, USER(3)), 1);
    GIVES(ioevent_cancel(q), 4);
    return 0;
}
