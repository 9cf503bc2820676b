/* What another reader takes before the harvest is not reported: the event says ready when it was made. rule 2.10 */
#include "test.h"

int main(void)
{
    int fd[2], stale, p = OK(ioeventpipe(4));
    char b[4];

    for (int which = 0; which < STREAMS; which++) {
        if (!stream_pair(which, fd))
            continue;
        stale = 0;
        ATTACH(fd[0], p, 1);
        QUEUED(ioevent_poll(fd[0], POLLIN));
        QUIET(p);
        for (int i = 0; i < 100; i++) {
            struct ioevent e;
            int n;

            OK(write(fd[1], "x", 1));
            read_all(fd[0], b, 1);
            n = OK(ioevent_wait(p, &e, 1, &no_wait));
            if (n == 1) { /* made in between, by a thread of the library: that is rare */
                SAME(e.ioe_result, POLLIN);
                CHECK(++stale < 50);
                QUEUED(ioevent_poll(fd[0], POLLIN));
            }
        }
        OK(write(fd[1], "x", 1));
        EXPECT(p, 1, POLLIN, 0);
        GIVES(ioevent_close(fd[0]), 0);
        OK(close(fd[1]));
    }
    return 0;
}
