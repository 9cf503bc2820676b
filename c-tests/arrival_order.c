/*
 * While one thread harvests, descriptors whose operations wait and which become ready one after the other have their
 * events in that order: rule 3.5.
 */
#include "test.h"

enum { N = 40, ROUNDS = 50 };

int main(void)
{
    static int fd[N][2], order[N];
    static char b[N][8];
    int p = OK(ioeventpipe(N));
    uint64_t seed = 7;

    for (int i = 0; i < N; i++) {
        if (i % 2)
            OK(pipe2(fd[i], O_CLOEXEC));
        else
            unix_pair(fd[i]);
        ATTACH(fd[i][0], p, i);
        order[i] = i;
    }
    for (int round = 0; round < ROUNDS; round++) {
        int size = round % 5 * 10 + 1, at = 0;
        struct ioevent e[N + 1];

        for (int i = 0; i < N; i++)
            if (round % 2)
                QUEUED(ioevent_read(fd[i][0], b[i], 8));
            else
                QUEUED(ioevent_poll(fd[i][0], POLLIN));
        QUIET(p);
        for (int i = N - 1; i > 0; i--) {
            int j = (int)(next_random(&seed) % (uint32_t)(i + 1)), k = order[i];

            order[i] = order[j];
            order[j] = k;
        }
        for (int i = 0; i < N; i++)
            OK(write(fd[order[i]][1], "x", 1));
        while (at < N) {
            struct timespec t = test_long();
            int n = OK(ioevent_wait(p, e, size, &t));

            CHECK(n > 0);
            for (int i = 0; i < n; i++)
                SAME((uintptr_t)e[i].ioe_user, order[at++]);
        }
        for (int i = 0; i < N && round % 2 == 0; i++)
            read_all(fd[i][0], b[i], 1);
    }
    return 0;
}
