/*
 * A thread queues operations that finish at once and ends, while another waits in a harvest: it gets all of them:
 * rule 5.3, rule 3.3.
 */
#include "test.h"

enum { N = 10, ROUNDS = 200 };

static int p, fd[2];
static char b[N];

static void *leaves(void *unused)
{
    OK(write(fd[1], "1234567890", N));
    for (int i = 0; i < N; i++)
        QUEUED(ioevent_read(fd[0], &b[i], 1));
    return unused;
}

int main(void)
{
    p = OK(ioeventpipe(N));
    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t t = start_thread(leaves, NULL);

        for (int i = 0; i < N; i++)
            EXPECT(p, 1, 1, 0);
        ZERO(pthread_join(t, NULL));
        CHECK(memcmp(b, "1234567890", N) == 0);
    }
    STAYS_QUIET(p);
    return 0;
}
