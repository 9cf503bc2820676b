/*
 * A program that takes few events at a time and stays away for a while: what becomes ready meanwhile comes after what
 * was ready before, though the library's own thread has found it: rules 2.7, 3.5.
 */
#include "test.h"
#include "test_spin.h"

enum { N = 40, EARLY = 30 };

int main(void)
{
    static int fd[N][2];
    static char b[N][4];
    int p = OK(ioeventpipe(N));

    for (int i = 0; i < N; i++) {
        unix_pair(fd[i]);
        ATTACH(fd[i][0], p, i);
    }
    for (int round = 0; round < 10; round++) {
        int at = 0;

        for (int i = 0; i < N; i++)
            QUEUED(ioevent_read(fd[i][0], b[i], 4));
        for (int i = 0; i < EARLY; i++)
            OK(write(fd[i][1], "x", 1));
        for (; at < 3; at++)
            EXPECT(p, at, 1, 0);
        for (int i = EARLY; i < N; i++)
            OK(write(fd[i][1], "x", 1));
        IDLE_ALONE(60); /* the library's thread looks after the pipe */
        for (; at < N; at++)
            EXPECT(p, at, 1, 0);
    }
    GIVES(ioevent_close(p), 0);
    return 0;
}
