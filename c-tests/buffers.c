/* After the event is read the library never touches the buffers again: rule 2.3. */
#include "test.h"

static void run(int which, int how)
{
    int fd[2], p = OK(ioeventpipe(8));
    unsigned char a[64], b[64];

    if (!stream_pair(which, fd))
        return;
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_read(fd[0], a, sizeof a));
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    QUIET(p);
    switch (how) {
    case 0: /* completed with part of the buffer */
        OK(write(fd[1], "ab", 2));
        EXPECT(p, 1, 2, 0);
        GIVES(ioevent_cancel(fd[0]), 1);
        break;
    case 1:
        GIVES(ioevent_cancel(fd[0]), 2);
        EXPECT(p, 1, -1, ECANCELED);
        break;
    case 2:
        DETACH(fd[0]);
        EXPECT(p, 1, -1, ECANCELED);
        break;
    case 3: /* closing the pipe: no buffer is in use when it returns (rule 3.7) */
        GIVES(ioevent_close(p), 0);
        p = OK(ioeventpipe(8));
        break;
    }
    if (how != 3)
        EXPECT(p, 1, -1, ECANCELED);
    memset(a, 0xee, sizeof a);
    memset(b, 0xee, sizeof b);
    OK(write(fd[1], "0123456789", 10));
    STAYS_QUIET(p);
    CHECK(is_all(a, 0xee, sizeof a) && is_all(b, 0xee, sizeof b));
    {
        unsigned char c[64];

        ATTACH(fd[0], p, 2);
        QUEUED(ioevent_read(fd[0], c, sizeof c));
        EXPECT(p, 2, 10, 0); /* nothing was lost */
        CHECK(memcmp(c, "0123456789", 10) == 0);
    }
    CHECK(is_all(a, 0xee, sizeof a) && is_all(b, 0xee, sizeof b));
    GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int which = 0; which < STREAMS; which++)
        for (int how = 0; how < 4; how++)
            run(which, how);
    return 0;
}
