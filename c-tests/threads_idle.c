/*
 * While some thread waits in a harvest, no event lies unread: N threads that take one event each and then stay busy
 * get N events that came at once: rule 3.3.
 */
#include "test.h"

enum { N = 5, ROUNDS = 60 };

static int p, fd[N][2];
static char b[N][8];
static pthread_barrier_t all_have_one, again;

static void *worker(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        SAME(HARVEST(p).ioe_errno, 0);
        /* busy: this passes only when all the others have theirs */
        TEST_HERE("busy until each thread has an event");
        pthread_barrier_wait(&all_have_one);
        pthread_barrier_wait(&again);
    }
    return unused;
}

int main(void)
{
    pthread_t t[N];

    p = OK(ioeventpipe(N));
    ZERO(pthread_barrier_init(&all_have_one, NULL, N));
    ZERO(pthread_barrier_init(&again, NULL, N + 1));
    for (int i = 0; i < N; i++) {
        unix_pair(fd[i]);
        ATTACH(fd[i][0], p, i);
    }
    for (int i = 0; i < N; i++)
        t[i] = start_thread(worker, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        struct ioevent post[N] = { { 0 } };

        switch (round % 4) {
        case 0: /* operations that wait, all ready at once */
            for (int i = 0; i < N; i++)
                QUEUED(ioevent_read(fd[i][0], b[i], 8));
            for (int i = 0; i < N; i++)
                OK(write(fd[i][1], "x", 1));
            break;
        case 1: /* operations that finish at once, of a thread that does not harvest */
            for (int i = 0; i < N; i++)
                QUEUED(ioevent_poll(fd[i][0], POLLOUT));
            break;
        case 2: /* all of one descriptor */
            for (int i = 0; i < N; i++)
                QUEUED(ioevent_read(fd[0][0], b[i], 1));
            OK(write(fd[0][1], "12345", N));
            break;
        case 3:
            GIVES(ioevent_write(p, post, sizeof post), sizeof post);
            break;
        }
        TEST_HERE("until each thread has an event");
        pthread_barrier_wait(&again);
    }
    for (int i = 0; i < N; i++)
        ZERO(pthread_join(t[i], NULL));
    STAYS_QUIET(p);
    return 0;
}
