/*
 * Reads with limits of their own complete and time out at random, harvested by two threads: each has exactly one event,
 * and together they give the bytes that were sent, each byte once and in order: rule 2.2, rule 2.5, rule 4.6.
 */
#include "test.h"

enum { PAIRS = 8, MOST = 8000, PLACES = 64 };

static int p, over, fd[PAIRS][2], timed_out;

static struct operation {
    int pair, seen, result;
    unsigned char bytes[8];
} all[MOST];

static int harvest(long ns)
{
    struct ioevent e[5];
    struct timespec t = { 0, ns };
    int n = OK(ioevent_wait(p, e, 5, &t));

    for (int i = 0; i < n; i++) {
        struct operation *op = e[i].ioe_user;

        SAME(ADD(op->seen, 1), 1);
        if (e[i].ioe_errno == ETIMEDOUT)
            ADD(timed_out, 1);
        else
            SAME(e[i].ioe_errno, 0);
        CHECK(e[i].ioe_errno ? e[i].ioe_result == -1 : e[i].ioe_result > 0 && e[i].ioe_result <= 8);
        SET(op->result, e[i].ioe_errno ? 0 : e[i].ioe_result);
    }
    return n;
}

static void *harvester(void *unused)
{
    while (!GET(over))
        harvest(400000);
    return unused;
}

int main(void)
{
    int most = on_valgrind() ? 1000 : MOST;
    size_t sent[PAIRS] = { 0 }, got[PAIRS] = { 0 };
    unsigned char text[16];
    uint64_t seed = 7;
    pthread_t t;

    p = OK(ioeventpipe(PLACES));
    for (int i = 0; i < PAIRS; i++) {
        unix_pair(fd[i]);
        ATTACH(fd[i][0], p, 0);
    }
    t = start_thread(harvester, NULL);
    for (int i = 0; i < most;) {
        int pair = (int)(next_random(&seed) % PAIRS);
        struct ioevent_op op = {
            .ioo_kind = next_random(&seed) % 2 ? IOEVENT_OP_READ : IOEVENT_OP_RECV, .ioo_fd = fd[pair][0],
            .ioo_user = &all[i], .ioo_buf = all[i].bytes, .ioo_len = next_random(&seed) % 8 + 1,
            .ioo_timeout = { 0, next_random(&seed) % 10 ? next_random(&seed) % 500000 + 1 : 1 },
        };

        all[i].pair = pair;
        if (ioevent_submit(&op, 1) == 1)
            i++;
        else
            SAME(errno, EIOEVENTFULL);
        if (next_random(&seed) % 2) {
            size_t n = next_random(&seed) % 8 + 1;

            pair = (int)(next_random(&seed) % PAIRS);
            put_pattern(text, sent[pair], n);
            if (send(fd[pair][1], text, n, MSG_DONTWAIT) == (ssize_t)n)
                sent[pair] += n;
        }
        if (next_random(&seed) % 4 == 0)
            harvest(0);
        if (next_random(&seed) % 64 == 0)
            breathe();
    }
    UNTIL(ioevent_fcntl(p, F_GETIOEVENTCNT) == 0); /* no cancel is needed: all have a limit */
    SET(over, 1);
    ZERO(pthread_join(t, NULL));
    STAYS_QUIET(p);

    for (int i = 0; i < most; i++) {
        size_t n = (size_t)all[i].result, *have = &got[all[i].pair];

        SAME(all[i].seen, 1);
        CHECK(is_pattern(all[i].bytes, *have, n));
        *have += n;
    }
    for (int i = 0; i < PAIRS; i++)
        SAME(got[i] + drain(fd[i][0]), sent[i]);
    CHECK(timed_out > 0 && timed_out < most);
    return 0;
}
