/*
 * A pread or pwrite of a pipe is refused, and leaves nothing open: whoever has the other end learns when the descriptor
 * is closed by plain close(2): rule 2.4, rule 4.4.
 */
#include "test.h"

int main(void)
{
    int p = OK(ioeventpipe(4)), fd[2];
    char b[4] = "";

    signal(SIGPIPE, SIG_IGN);
    for (int side = 0; side < 2; side++)
        for (int vector = 0; vector < 2; vector++) {
            struct iovec v = { b, sizeof b };
            long r;

            OK(pipe2(fd, O_CLOEXEC));
            ATTACH(fd[side], p, 1);
            if (vector)
                r = side ? ioevent_pwritev(fd[1], &v, 1, 0) : ioevent_preadv(fd[0], &v, 1, 0);
            else
                r = side ? ioevent_pwrite(fd[1], b, 4, 0) : ioevent_pread(fd[0], b, 4, 0);
            SAME(r, -1);
            SAME(errno, EIOEVENTQUEUED);
            EXPECT(p, 1, -1, ESPIPE);
            OK(close(fd[side]));
            if (side)
                GIVES(read(fd[0], b, 1), 0);
            else
                FAILS(write(fd[1], b, 1), EPIPE);
            OK(close(fd[!side]));
        }
    return 0;
}
