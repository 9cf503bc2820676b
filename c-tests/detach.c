/*
 * Detaching, and ioevent_close of an attached descriptor, end its outstanding operations with ECANCELED, and each
 * still delivers its event: rule 4.3. Finished ones keep their results.
 */
#include "test.h"

static void run(int which, bool close_it)
{
    int p = OK(ioeventpipe(16)), fd[2];
    char b[8];

    if (!stream_pair(which, fd))
        return;
    fill_up(fd[1]);
    ATTACH(fd[1], p, 1);
    ATTACH(fd[0], p, 2);
    for (int i = 0; i < 3; i++)
        QUEUED(ioevent_write(fd[1], "x", 1));
    if (which != STREAM_PIPE)
        for (int i = 0; i < 3; i++)
            QUEUED(ioevent_read(fd[1], b, 8));
    QUEUED(ioevent_poll(fd[1], which == STREAM_PIPE ? 0 : POLLIN));
    QUIET(p);
    if (close_it) {
        GIVES(ioevent_close(fd[1]), 0);
        FAILS(fcntl(fd[1], F_GETFD), EBADF);
    } else {
        DETACH(fd[1]);
        ATTACHED(fd[1], -1, 0);
    }
    for (int i = 0; i < (which == STREAM_PIPE ? 4 : 7); i++)
        EXPECT(p, 1, -1, ECANCELED);
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd[0]), 0);
    if (!close_it)
        OK(close(fd[1]));

    /* a result that has not been read stays */
    CHECK(stream_pair(which, fd));
    ATTACH(fd[0], p, 3);
    OK(write(fd[1], "abc", 3));
    QUEUED(ioevent_read(fd[0], b, 8));
    QUEUED(ioevent_read(fd[0], b + 4, 4));
    {
        struct ioevent e;
        int n = OK(ioevent_wait(p, &e, 1, &no_wait));

        SAME(n, 1); /* the first was there */
        SAME(e.ioe_result, 3);
    }
    OK(write(fd[1], "de", 2));
    if (close_it)
        GIVES(ioevent_close(fd[0]), 0);
    else
        DETACH(fd[0]);
    {
        struct ioevent e = HARVEST(p); /* it may have been done or not */

        CHECK((e.ioe_result == 2 && e.ioe_errno == 0) || (e.ioe_result == -1 && e.ioe_errno == ECANCELED));
        if (!close_it)
            SAME(drain(fd[0]), e.ioe_result == 2 ? 0 : 2);
    }
    STAYS_QUIET(p);
    if (!close_it)
        OK(close(fd[0]));
    OK(close(fd[1]));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int which = 0; which < STREAMS; which++) {
        if (which == STREAM_TCP4 || which == STREAM_TCP6)
            continue; /* a filled TCP socket may take a little more after a while */
        run(which, false);
        run(which, true);
    }
    return 0;
}
