/*
 * A descriptor that is attached to one pipe after the other, with operations outstanding on each: every event comes on
 * the pipe that its operation was queued for, in order; a pipe that is closed takes its own operations along and no
 * others: rule 4.2, rule 2.2, rule 3.7.
 */
#include "test.h"

enum { PIPES = 3, N = 30 };

int main(void)
{
    int p[PIPES], fd[2], which = 0;
    char b[N][8];

    for (int i = 0; i < PIPES; i++)
        p[i] = OK(ioeventpipe(N));
    OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd));
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < N; i++) {
            ATTACH(fd[0], p[(i + round) % PIPES], i);
            if (i % 5 == 4)
                QUEUED(ioevent_poll(fd[0], POLLPRI)); /* waits until the end */
            else
                QUEUED(ioevent_read(fd[0], b[i], 8));
        }
        for (int i = 0; i < PIPES; i++)
            QUIET(p[i]);
        for (int i = 0; i < N; i++)
            if (i % 5 != 4)
                OK(send(fd[1], &i, sizeof i, 0));
        /* one pipe is harvested at a time; the order is kept all the same */
        for (int k = 0; k < PIPES; k++)
            for (int i = 0; i < N; i++)
                if ((i + round) % PIPES == (k + round / 2) % PIPES && i % 5 != 4) {
                    EXPECT(p[(k + round / 2) % PIPES], i, sizeof i, 0);
                    CHECK(memcmp(b[i], &i, sizeof i) == 0);
                }
        for (int i = 0; i < PIPES; i++)
            QUIET(p[i]);
        if (round % 2) {
            GIVES(ioevent_cancel(fd[0]), N / 5);
        } else {
            DETACH(fd[0]);
        }
        for (int i = 4; i < N; i += 5)
            EXPECT(p[(i + round) % PIPES], i, -1, ECANCELED);
        for (int i = 0; i < PIPES; i++)
            QUIET(p[i]);
    }

    /* six reads, two of each pipe; one pipe is closed */
    for (which = 0; which < PIPES; which++) {
        for (int i = 0; i < 6; i++) {
            ATTACH(fd[0], p[i % PIPES], i);
            QUEUED(ioevent_read(fd[0], b[i], 8));
        }
        GIVES(ioevent_close(p[which]), 0);
        if (which == PIPES - 1)
            ATTACHED(fd[0], -1, 0); /* it was attached to this one last */
        else
            ATTACHED(fd[0], p[PIPES - 1], 5);
        if (which != PIPES - 1) {
            for (int i = 0; i < 4; i++)
                OK(send(fd[1], "abc", 3, 0));
            for (int i = 0; i < 6; i++)
                if (i % PIPES != which)
                    EXPECT(p[i % PIPES], i, 3, 0);
        } else { /* detached: the others' operations are ended */
            for (int i = 0; i < 6; i++)
                if (i % PIPES != which)
                    EXPECT(p[i % PIPES], i, -1, ECANCELED);
        }
        p[which] = OK(ioeventpipe(N));
        for (int i = 0; i < PIPES; i++)
            STAYS_QUIET(p[i]);
    }
    return 0;
}
