/*
 * A hundred thousand timers on one pipe, with deadlines that rise, fall or jump: all come, once, in order of time and
 * never early; they take no descriptors; one call ends them all: rule 2.12, rule 4.7.
 */
#include "test.h"

enum { MOST = 100000, BATCH = 1000 };
enum order { RISE, FALL, JUMP, LATE };

static int p, n;
static long long low[MOST], high[MOST]; /* the deadline of each lies between these */
static bool seen[MOST];

static void submit(enum order order)
{
    static struct ioevent_op op[BATCH];
    uint64_t seed = 1997;

    memset(seen, 0, sizeof seen);
    for (int first = 0; first < n; first += BATCH) {
        long long before = now_ns(), after;

        for (int k = 0; k < BATCH; k++) {
            int i = first + k;
            uint32_t random = next_random(&seed);
            long us = order == RISE ? i : order == FALL ? n - i : (long)(random % (uint32_t)n);

            low[i] = us * 1000;
            op[k] = (struct ioevent_op){ .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_user = USER(i),
                                         .ioo_timeout = { order == LATE ? 3600 + us : 0, us * 1000 } };
        }
        GIVES(ioevent_submit(op, BATCH), BATCH);
        after = now_ns();
        for (int i = first; i < first + BATCH; i++) {
            high[i] = low[i] + after;
            low[i] += before;
        }
    }
}

static void harvest(int result, int err)
{
    static struct ioevent e[500];
    long long latest = 0;

    for (int got = 0; got < n;) {
        int k = OK(ioevent_wait(p, e, 500, NULL));
        long long now = now_ns();

        for (int i = 0; i < k; i++) {
            uintptr_t user = (uintptr_t)e[i].ioe_user;

            CHECK(user < (uintptr_t)n && !seen[user]);
            seen[user] = true;
            SAME(e[i].ioe_result, result);
            SAME(e[i].ioe_errno, err);
            if (err)
                continue;
            CHECK(now >= low[user]);
            CHECK(high[user] >= latest);
            latest = low[user] > latest ? low[user] : latest;
        }
        got += k;
    }
    QUIET(p);
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
}

int main(void)
{
    int fds;

    n = on_valgrind() ? 4000 : MOST;
    p = OK(ioeventpipe(n));
    fds = count_fds();
    for (enum order order = RISE; order <= JUMP; order++) {
        submit(order);
        CHECK(count_fds() <= fds + 4); /* what the library keeps for itself */
        harvest(0, 0);
    }

    submit(LATE);
    CHECK(count_fds() <= fds + 4);
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), n);
    FAILS(ioevent_submit(&(struct ioevent_op){ .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p }, 1), EIOEVENTFULL);
    QUIET(p);
    GIVES(ioevent_cancel(p), n);
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), n);
    GIVES(ioevent_cancel(p), 0);
    harvest(-1, ECANCELED);
    submit(LATE);
    GIVES(ioevent_close(p), 0);
    return 0;
}
