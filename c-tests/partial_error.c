/* A stream write whose peer goes away half way delivers the part that was taken, the next one EPIPE: rule 2.4. */
#include "test.h"

enum { SIZE = 64 << 20 };

static char out[SIZE];

static void run(int which)
{
    int fd[2], p = OK(ioeventpipe(4));
    struct ioevent e;
    char first[4096];

    if (!stream_pair(which, fd))
        return;
    ATTACH(fd[1], p, 1);
    QUEUED(ioevent_write(fd[1], out, SIZE));
    QUEUED(ioevent_write(fd[1], out, 1));
    STAYS_QUIET(p);
    read_all(fd[0], first, sizeof first);
    OK(close(fd[0]));
    e = HARVEST(p);
    SAME(e.ioe_errno, 0);
    CHECK(e.ioe_result >= (int)sizeof first && e.ioe_result < SIZE);
    e = HARVEST(p);
    SAME(e.ioe_result, -1);
    CHECK(e.ioe_errno == EPIPE || e.ioe_errno == ECONNRESET); /* a socket tells the reset first */
    QUEUED(ioevent_write(fd[1], out, 1));
    EXPECT(p, 1, -1, EPIPE);
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd[1]), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int which = 0; which < STREAMS; which++)
        run(which);
    return 0;
}
