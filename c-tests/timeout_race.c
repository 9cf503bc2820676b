/*
 * What times out while it is cancelled, detached, closed or finished has exactly one event: rule 2.2, rule 4.6. What
 * ioevent_cancel ended is what is ECANCELED: rule 4.7.
 */
#include "test.h"

enum { WAYS = 5 };

static int p, fd[2];
static char b[3][8];
static int timed_out, canceled, finished;

/* The events of the operations that were queued, and no more; returns how many were ECANCELED. */
static int harvest(int n)
{
    int now_canceled = 0;

    for (int i = 0; i < n; i++) {
        struct ioevent e = HARVEST(p);

        timed_out += e.ioe_errno == ETIMEDOUT;
        now_canceled += e.ioe_errno == ECANCELED;
        finished += e.ioe_errno == 0;
        CHECK(e.ioe_errno == ETIMEDOUT || e.ioe_errno == ECANCELED || e.ioe_errno == 0);
        CHECK(e.ioe_errno ? e.ioe_result == -1 : e.ioe_result > 0);
    }
    QUIET(p);
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
    canceled += now_canceled;
    return now_canceled;
}

static void round_of(int way, long limit, long wait)
{
    long long until;
    int n;

    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTTIMEO, &(struct timespec){ 0, limit }), 0);
    for (int i = 0; i < 3; i++)
        QUEUED(i == 2 ? ioevent_poll(fd[0], POLLIN) : ioevent_read(fd[0], b[i], 4));
    until = now_ns() + wait;
    while (now_ns() < until)
        ;
    switch (way) {
    case 0:
        n = OK(ioevent_cancel(fd[0]));
        SAME(harvest(3), n);
        break;
    case 1:
        DETACH(fd[0]);
        harvest(3);
        break;
    case 2:
        GIVES(ioevent_close(fd[0]), 0);
        harvest(3);
        break;
    case 3:
        OK(write(fd[1], "12345678", 8));
        SAME(harvest(3), 0);
        break;
    default:
        OK(shutdown(fd[1], SHUT_WR)); /* the end of the file counts as finished */
        for (int i = 0; i < 3; i++)
            CHECK(HARVEST(p).ioe_result >= -1);
        break;
    }
    if (way != 2)
        GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
}

int main(void)
{
    uint64_t seed = 21;
    int rounds = on_valgrind() ? 20 : 150;

    p = OK(ioeventpipe(8));
    for (int i = 0; i < rounds; i++)
        for (int way = 0; way < WAYS; way++) {
            long limit = (long)(next_random(&seed) % 400000) + 1;

            round_of(way, limit, (long)(next_random(&seed) % 400000));
            round_of(way, 200000, 200000 - 20000 + (long)(next_random(&seed) % 40000));
        }
    for (int way = 0; way < WAYS; way++) {
        round_of(way, 999999999, 0);
        round_of(way, 1, 10000);
    }
    STAYS_QUIET(p);
    CHECK(timed_out > 0 && canceled > 0 && finished > 0);
    return 0;
}
