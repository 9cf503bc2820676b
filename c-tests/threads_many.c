/*
 * Any number of threads may harvest one pipe: a hundred that wait get a hundred events, one each: rule 3.3. Others have
 * come and gone before them: rule 5.3.
 */
#include "test.h"

enum { N = 100, ROUNDS = 5 };

static int p, fd[N][2];
static char b[N][8];
static pthread_barrier_t all_have_one, again;

static void *worker(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        SAME(HARVEST(p).ioe_errno, 0);
        TEST_HERE("busy until each thread has an event");
        pthread_barrier_wait(&all_have_one);
        pthread_barrier_wait(&again);
    }
    return unused;
}

static void *passer_by(void *unused)
{
    QUEUED(ioevent_poll(fd[0][0], POLLOUT));
    EXPECT(p, 0, POLLOUT, 0);
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
    for (int i = 0; i < 200; i++)
        ZERO(pthread_join(start_thread(passer_by, NULL), NULL));
    for (int i = 0; i < N; i++)
        t[i] = start_thread(worker, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < N; i++)
            QUEUED(ioevent_read(fd[i][0], b[i], 8));
        for (int i = 0; i < N; i++)
            OK(write(fd[i][1], "x", 1));
        TEST_HERE("until each thread has an event");
        pthread_barrier_wait(&again);
    }
    for (int i = 0; i < N; i++)
        ZERO(pthread_join(t[i], NULL));
    STAYS_QUIET(p);
    return 0;
}
