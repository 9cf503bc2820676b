/*
 * An idle thread takes over the events of a thread that is busy: rule 3.3. Thread A harvests, queues operations that
 * finish at once, and then stays busy until B, who waits in a harvest, has had all of them.
 */
#include "test.h"
#include "test_stats.h"

enum { N = 20, ROUNDS = 30 };

static int p, fd[2], got, a_events;
static pid_t b_tid;
static char buffer[N];

static void *b(void *unused)
{
    TELL_TID(b_tid);
    for (;;) {
        struct ioevent e = HARVEST(p);

        if (e.ioe_user == USER(9))
            return unused;
        ADD(got, 1);
    }
}

static void *a(void *unused)
{
    pthread_t t;

    /* A is a harvesting thread: it has had events of its own here */
    QUEUED(ioevent_poll(fd[0], POLLOUT));
    EXPECT(p, 1, POLLOUT, 0);
    t = start_thread(b, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        if (round % 3 == 0)
            UNTIL_ASLEEP(b_tid);
        SET(got, 0);
        a_events = 0;
        if (round % 2) { /* what A would have harvested next */
            struct ioevent e;

            for (int i = 0; i < N; i++)
                QUEUED(ioevent_read(fd[0], &buffer[i], 1));
            OK(write(fd[1], "aaaaaaaaaaaaaaaaaaaa", N));
            a_events = OK(ioevent_wait(p, &e, 1, &no_wait));
        } else {
            OK(write(fd[1], "aaaaaaaaaaaaaaaaaaaa", N));
            for (int i = 0; i < N; i++)
                QUEUED(ioevent_read(fd[0], &buffer[i], 1));
        }
        UNTIL(GET(got) + a_events == N); /* busy */
    }
    GIVES(ioevent_write(p, &(struct ioevent){ USER(9), 0, 0 }, sizeof(struct ioevent)), sizeof(struct ioevent));
    ZERO(pthread_join(t, NULL));
    return unused;
}

int main(void)
{
    p = OK(ioeventpipe(N + 1));
    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    COUNTED(p, takeovers, 0);
    ZERO(pthread_join(start_thread(a, NULL), NULL));
    STAYS_QUIET(p);
    CHECK(stats_of(p).ios_takeovers > 0);
    return 0;
}
