/* Reads do not wait for writes, nor writes for reads: rule 2.5. */
#include "test.h"

static void run(int which)
{
    int fd[2], p = OK(ioeventpipe(8));
    char b[8];
    static char out[32 << 20];

    if (!stream_pair(which, fd))
        return;
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_write(fd[0], out, sizeof out));
    QUEUED(ioevent_write(fd[0], out, 1));
    QUIET(p);
    for (int i = 0; i < 3; i++) {
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        QUIET(p);
        OK(write(fd[1], "abc", 3));
        EXPECT(p, 1, 3, 0);
    }
    QUIET(p);
    GIVES(ioevent_cancel(fd[0]), 2);
    CHECK(HARVEST(p).ioe_result > 0);
    EXPECT(p, 1, -1, ECANCELED);

    /* a read waits, writes go on */
    ATTACH(fd[1], p, 2);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    QUIET(p);
    drain(fd[1]);
    for (int i = 0; i < 3; i++) {
        QUEUED(ioevent_write(fd[0], "abc", 3));
        EXPECT(p, 1, 3, 0);
    }
    QUIET(p);
    GIVES(ioevent_close(fd[0]), 0);
    EXPECT(p, 1, -1, ECANCELED);
    GIVES(ioevent_close(fd[1]), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    run(STREAM_UNIX);
    run(STREAM_TCP4);
    run(STREAM_TCP6);
    return 0;
}
