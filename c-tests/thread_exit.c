/*
 * A thread may end at any time outside the library's functions; its ready events, and its operations that still wait,
 * go on for the others: rule 5.3.
 */
#include "test.h"

enum { N = 30 };

static int p, fd[2], idle[2];
static char b[N], c[8];

static void *leaves(void *unused)
{
    struct ioevent e;

    /* it harvests, so that it has whatever a harvesting thread has */
    QUEUED(ioevent_poll(fd[0], POLLOUT));
    EXPECT(p, 1, POLLOUT, 0);
    OK(write(fd[1], "123456789012345678901234567890", N));
    for (int i = 0; i < N; i++)
        QUEUED(ioevent_read(fd[0], &b[i], 1));
    QUEUED(ioevent_read(idle[0], c, sizeof c));
    GIVES(ioevent_wait(p, &e, 1, &no_wait), 1);
    SAME(b[0], '1');
    return unused;
}

static void *leaves_by_exit(void *unused)
{
    leaves(unused);
    pthread_exit(NULL);
}

int main(void)
{
    p = OK(ioeventpipe(N + 2));
    unix_pair(fd);
    unix_pair(idle);
    ATTACH(fd[0], p, 1);
    ATTACH(idle[0], p, 2);
    for (int round = 0; round < 50; round++) {
        pthread_t t;
        struct ioevent e[N + 2];

        memset(b, 0, sizeof b);
        t = start_thread(round % 2 ? leaves : leaves_by_exit, NULL);
        ZERO(pthread_join(t, NULL));
        if (round % 3 == 0) {
            for (int i = 0; i < N - 1; i++)
                EXPECT(p, 1, 1, 0);
        } else {
            GIVES(ioevent_wait(p, e, N + 2, &no_wait), N - 1); /* all at once, without a wait */
            for (int i = 0; i < N - 1; i++)
                CHECK(e[i].ioe_user == USER(1) && e[i].ioe_result == 1);
        }
        CHECK(memcmp(b, "123456789012345678901234567890", N) == 0);
        QUIET(p);
        OK(write(idle[1], "abc", 3));
        EXPECT(p, 2, 3, 0);
    }
    return 0;
}
