/*
 * Timers of a pipe come in order of time, with result 0, and never early: rule 2.12. Also those whose time is over when
 * they are queued, or before the program looks.
 */
#include "test.h"

enum { MS = 1000000 };

static int p;

static void timer(uintptr_t user, long ns)
{
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_user = USER(user),
                             .ioo_timeout = { ns / 1000000000, ns % 1000000000 } };

    GIVES(ioevent_submit(&op, 1), 1);
}

static void pass(long long until)
{
    while (now_ns() < until)
        ;
}

/* So many at random times below `below`. A timer's deadline lies between these two. */
static void random_times(int n, uint32_t below, uint64_t seed)
{
    static long long low[1000], high[1000];
    static bool seen[1000];
    long long latest = 0;

    memset(seen, 0, sizeof seen);
    for (int i = 0; i < n; i++) {
        long ns = (long)(next_random(&seed) % below);

        low[i] = now_ns() + ns;
        timer((uintptr_t)i, ns);
        high[i] = now_ns() + ns;
    }
    for (int i = 0; i < n; i++) {
        struct ioevent e = HARVEST(p);
        uintptr_t user = (uintptr_t)e.ioe_user;

        SAME(e.ioe_result, 0);
        SAME(e.ioe_errno, 0);
        CHECK(user < (uintptr_t)n && !seen[user]);
        seen[user] = true;
        CHECK(now_ns() >= low[user]); /* never early */
        CHECK(high[user] >= latest); /* not before one that came already */
        latest = low[user] > latest ? low[user] : latest;
    }
    QUIET(p);
}

int main(void)
{
    struct ioevent e[4];
    long long end;

    p = OK(ioeventpipe(1000));

    /* far enough from each other that the order is certain, unless to set them has taken as long */
    end = now_ns() + 200 * MS;
    timer(3, 600 * MS);
    timer(1, 200 * MS);
    timer(2, 400 * MS);
    end -= now_ns();
    for (uintptr_t i = 1; i <= 3; i++) {
        e[0] = HARVEST(p);
        SAME(e[0].ioe_result, 0);
        CHECK(end < 0 || (uintptr_t)e[0].ioe_user == i);
    }

    random_times(1000, 1, 1);
    for (uint64_t seed = 1; seed < 6; seed++) {
        random_times(on_valgrind() ? 200 : 1000, 30 * MS, seed);
        random_times(on_valgrind() ? 200 : 1000, MS, seed);
        random_times(5, 20000, seed);
    }

    /* none at all: the event is there */
    for (int i = 0; i < 20; i++) {
        timer(4, 0);
        GIVES(ioevent_wait(p, e, 4, &no_wait), 1);
        CHECK(e[0].ioe_user == USER(4) && e[0].ioe_result == 0 && e[0].ioe_errno == 0);
    }

    /* over before the next one is queued: it comes first all the same */
    for (int i = 0; i < 50; i++) {
        timer(6, 2000 + i * 1000);
        timer(5, 1000);
        end = now_ns() + 60000 + (i % 10 == 9 ? 12 * MS : 0);
        pass(end);
        timer(7, 0);
        GIVES(ioevent_wait(p, e, 4, &no_wait), 3);
        CHECK(e[1].ioe_user == USER(5) || e[0].ioe_user == USER(5));
        CHECK(e[2].ioe_user == USER(7));
    }
    STAYS_QUIET(p);
    return 0;
}
