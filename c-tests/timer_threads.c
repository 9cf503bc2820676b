/*
 * Timers with several harvesting threads, queued while these wait for a later one: each comes to exactly one thread,
 * and never early: rule 2.12, rule 3.3. Who gets one may queue the next.
 */
#include "test.h"

enum { THREADS = 4, CHAINS = 50, LENGTH = 40, BURST = 1000, STOP = -77 };

static int p, length, left[CHAINS], bursts[BURST], chains_left = CHAINS, bursts_left = BURST;
static long long low[CHAINS + BURST];

/* User pointers: chains first, then the burst. */
static void timer(uintptr_t user, long ns)
{
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_user = USER(user),
                             .ioo_timeout = { 0, ns } };

    SET(low[user], now_ns() + ns);
    GIVES(ioevent_submit(&op, 1), 1);
}

static void *worker(void *seed_pointer)
{
    uint64_t seed = (uintptr_t)seed_pointer;
    struct ioevent e[3];

    for (;;) {
        int n = OK(ioevent_wait(p, e, 3, NULL));
        bool stop = false;

        for (int i = 0; i < n; i++) {
            uintptr_t user = (uintptr_t)e[i].ioe_user;

            if (e[i].ioe_errno == STOP) {
                CHECK(!stop); /* one for each */
                stop = true;
                continue;
            }
            SAME(e[i].ioe_result, 0);
            SAME(e[i].ioe_errno, 0);
            CHECK(now_ns() >= GET(low[user]));
            if (user >= CHAINS) {
                SAME(ADD(bursts[user - CHAINS], 1), 1);
                ADD(bursts_left, -1);
            } else if (ADD(left[user], -1) > 0) {
                timer(user, next_random(&seed) % 1500000);
            } else {
                SAME(GET(left[user]), 0);
                ADD(chains_left, -1);
            }
        }
        if (stop)
            return NULL;
    }
}

int main(void)
{
    struct ioevent_op late = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_user = USER(7777), .ioo_timeout = { 3600, 0 } };
    pthread_t t[THREADS];
    uint64_t seed = 11;

    length = on_valgrind() ? 8 : LENGTH;
    p = late.ioo_fd = OK(ioeventpipe(CHAINS + BURST + THREADS + 1));
    GIVES(ioevent_submit(&late, 1), 1);
    for (uintptr_t i = 0; i < THREADS; i++)
        t[i] = start_thread(worker, USER(i * 77 + 1));
    breathe(); /* most of them wait now, for an hour */
    for (uintptr_t i = 0; i < CHAINS; i++) {
        SET(left[i], length);
        timer(i, 1000000);
    }
    for (uintptr_t i = 0; i < BURST; i++)
        timer(CHAINS + i, next_random(&seed) % 20000000);
    UNTIL(GET(chains_left) == 0 && GET(bursts_left) == 0);
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), 1);
    for (int i = 0; i < THREADS; i++) {
        /* one at a time, so that no thread reads two */
        GIVES(ioevent_write(p, &(struct ioevent){ NULL, 0, STOP }, sizeof(struct ioevent)), sizeof(struct ioevent));
        UNTIL(ioevent_fcntl(p, F_GETIOEVENTCNT) == 1);
    }
    for (int i = 0; i < THREADS; i++)
        ZERO(pthread_join(t[i], NULL));
    GIVES(ioevent_cancel(p), 1);
    EXPECT(p, 7777, -1, ECANCELED);
    STAYS_QUIET(p);
    return 0;
}
