/*
 * What a harvest does not take along is not kept from others: a thread that harvests one of many ready events and
 * then stays busy leaves the rest to a thread that waits: rule 3.3.
 */
#include "test.h"

enum { N = 40 };

static int p, fd[N][2], got;
static char buffer[N][4];
static pid_t tid;

static void *idle(void *unused)
{
    TELL_TID(tid);
    for (int i = 0; i < N - 1; i++) {
        SAME(HARVEST(p).ioe_result, 1);
        ADD(got, 1);
    }
    return unused;
}

int main(void)
{
    pthread_t t;

    p = OK(ioeventpipe(N));
    for (int i = 0; i < N; i++) {
        unix_pair(fd[i]);
        ATTACH(fd[i][0], p, i);
    }
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < N; i++)
            QUEUED(ioevent_read(fd[i][0], buffer[i], 4));
        QUIET(p);
        for (int i = 0; i < N; i++)
            OK(write(fd[i][1], "x", 1));
        SAME(HARVEST(p).ioe_result, 1); /* the only harvester: it has seen them all */
        SET(got, 0);
        SET(tid, 0);
        t = start_thread(idle, NULL);
        UNTIL(GET(got) == N - 1); /* busy */
        ZERO(pthread_join(t, NULL));
        QUIET(p);
    }
    return 0;
}
