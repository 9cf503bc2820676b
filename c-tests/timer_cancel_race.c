/*
 * Timers that expire while they are cancelled: each has exactly one event, and ioevent_cancel says how many of them are
 * ECANCELED: rule 2.2, rule 2.12, rule 4.7.
 */
#include "test.h"

enum { N = 40, ROUNDS = 300 };

static int p, going = 1;

/* Another thread that harvests, now and then. */
static int seen[N], canceled, events;

static void *harvester(void *unused)
{
    struct ioevent e[7];
    struct timespec t = { 0, 300000 };

    while (GET(going)) {
        int n = OK(ioevent_wait(p, e, 7, &t));

        for (int i = 0; i < n; i++) {
            CHECK(e[i].ioe_errno == 0 || e[i].ioe_errno == ECANCELED);
            SAME(e[i].ioe_result, e[i].ioe_errno ? -1 : 0);
            SAME(ADD(seen[(uintptr_t)e[i].ioe_user], 1), 1);
            if (e[i].ioe_errno)
                ADD(canceled, 1);
            ADD(events, 1);
        }
    }
    return unused;
}

int main(void)
{
    uint64_t seed = 2026;
    pthread_t t;

    p = OK(ioeventpipe(N));
    t = start_thread(harvester, NULL);
    for (int round = 0; round < (on_valgrind() ? 60 : ROUNDS); round++) {
        struct ioevent_op op[N];
        long long stop;
        int ended = 0;

        memset(seen, 0, sizeof seen);
        SET(events, 0);
        SET(canceled, 0);
        for (int i = 0; i < N; i++)
            op[i] = (struct ioevent_op){ .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_user = USER(i),
                                         .ioo_timeout = { 0, next_random(&seed) % 1000000 } };
        GIVES(ioevent_submit(op, N), N);
        stop = now_ns() + next_random(&seed) % 1000000;
        while (now_ns() < stop)
            ;
        for (int i = 0; i < N && round % 2; i++)
            ended += OK(ioevent_cancel2(p, IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(i)));
        ended += OK(ioevent_cancel(p));
        UNTIL(GET(events) == N);
        SAME(GET(canceled), ended);
        GIVES(ioevent_cancel(p), 0);
    }
    SET(going, 0);
    ZERO(pthread_join(t, NULL));
    STAYS_QUIET(p);
    return 0;
}
