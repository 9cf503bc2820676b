/*
 * Cancel against completion, from two threads: every operation has one event, the counts of cancel are the events
 * with ECANCELED, and every byte is delivered once or still there: rule 4.7, rule 2.2, rule 2.4.
 */
#include "test.h"

enum { N = 20000 };

static int p, fd[2], over;
static long cancelled;

static void *canceller(void *unused)
{
    while (!GET(over)) {
        ADD(cancelled, OK(ioevent_cancel(fd[0])));
        sched_yield();
    }
    return unused;
}

int main(void)
{
    pthread_t t;
    long ended = 0, bytes = 0, written = 0;
    char b[16];

    p = OK(ioeventpipe(4));
    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    t = start_thread(canceller, NULL);
    for (int i = 0; i < N; i++) {
        struct ioevent e;

        QUEUED(ioevent_read(fd[0], b, sizeof b));
        if (i % 3) {
            OK(write(fd[1], "x", 1));
            written++;
        }
        e = HARVEST(p);
        if (e.ioe_result == -1) {
            SAME(e.ioe_errno, ECANCELED);
            ended++;
        } else {
            CHECK(e.ioe_result > 0);
            bytes += e.ioe_result;
        }
    }
    SET(over, 1);
    ZERO(pthread_join(t, NULL));
    SAME(cancelled, ended);
    SAME(bytes + (long)drain(fd[0]), written);
    STAYS_QUIET(p);
    return 0;
}
