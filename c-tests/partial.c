/*
 * A write that is ended after some bytes were taken delivers their count, and why it was ended; one that moved nothing
 * delivers -1: rule 2.4. Ended by cancel, detach and ioevent_close.
 */
#include "test.h"

enum { SIZE = 64 << 20 };

static char out[SIZE];

static void run(int which, int how)
{
    int fd[2], p = OK(ioeventpipe(4));
    struct ioevent e;
    size_t rest;
    char first[4096];

    if (!stream_pair(which, fd))
        return;
    ATTACH(fd[1], p, 1);
    QUEUED(ioevent_write(fd[1], out, SIZE));
    QUEUED(ioevent_write(fd[1], out, SIZE));
    STAYS_QUIET(p);
    read_all(fd[0], first, sizeof first); /* some of it was taken */
    CHECK(is_pattern(first, 0, sizeof first));
    QUIET(p);
    if (how == 0)
        GIVES(ioevent_cancel(fd[1]), 2);
    else if (how == 1)
        DETACH(fd[1]);
    else
        GIVES(ioevent_close(fd[1]), 0);
    e = HARVEST(p);
    CHECK(e.ioe_user == USER(1));
    SAME(e.ioe_errno, ECANCELED);
    CHECK(e.ioe_result >= (int)sizeof first && e.ioe_result < SIZE);
    EXPECT(p, 1, -1, ECANCELED);
    STAYS_QUIET(p);
    if (how < 2)
        GIVES(ioevent_close(fd[1]), 0);

    /* what the event said is what the peer gets */
    rest = (size_t)e.ioe_result - sizeof first;
    for (size_t done = 0, n; done < rest; done += n) {
        static char block[65536];

        n = rest - done < sizeof block ? rest - done : sizeof block;
        read_all(fd[0], block, n);
        CHECK(is_pattern(block, sizeof first + done, n));
    }
    CHECK(sees_end(fd[0]));
    OK(close(fd[0]));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    put_pattern(out, 0, SIZE);
    for (int which = 0; which < STREAMS; which++)
        for (int how = 0; how < 3; how++)
            run(which, how);
    return 0;
}
