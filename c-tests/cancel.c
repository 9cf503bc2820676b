/*
 * ioevent_cancel ends the operations of a descriptor that are not finished and returns how many it ended: rule 4.7.
 * The descriptor stays attached and usable; no data is lost.
 */
#include "test.h"

static void run(int which)
{
    int p = OK(ioeventpipe(16)), fd[2], n, ended = 0;
    char b[8];
    struct ioevent e[16];

    if (!stream_pair(which, fd))
        return;
    ATTACH(fd[0], p, 1);
    ATTACH(fd[1], p, 2);
    GIVES(ioevent_cancel(fd[0]), 0); /* nothing to end */
    for (int i = 0; i < 5; i++)
        QUEUED(ioevent_read(fd[0], b, sizeof b));
    QUEUED(ioevent_poll(fd[0], POLLIN));
    QUEUED(ioevent_poll(fd[1], POLLPRI));
    QUIET(p);
    GIVES(ioevent_cancel(fd[0]), 6);
    GIVES(ioevent_cancel(fd[0]), 0); /* ended, though not read */
    for (int i = 0; i < 6; i++)
        EXPECT(p, 1, -1, ECANCELED);
    STAYS_QUIET(p);
    GIVES(ioevent_cancel(fd[1]), 1);
    EXPECT(p, 2, -1, ECANCELED);

    /* still attached */
    ATTACHED(fd[0], p, 1);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    OK(write(fd[1], "abc", 3));
    EXPECT(p, 1, 3, 0);

    /* finished ones are not counted, and what was counted was ended */
    OK(write(fd[1], "xy", 2));
    for (int i = 0; i < 6; i++)
        QUEUED(ioevent_read(fd[0], b, 1));
    n = OK(ioevent_cancel(fd[0]));
    SAME(ioevent_wait(p, e, 16, &no_wait), 6);
    for (int i = 0; i < 6; i++) {
        if (e[i].ioe_result == -1)
            SAME(e[i].ioe_errno, ECANCELED);
        ended += e[i].ioe_result == -1;
    }
    SAME(ended, n);
    CHECK(n >= 4);
    SAME(drain(fd[0]), n - 4); /* no byte was lost */
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd[0]), 0);
    GIVES(ioevent_close(fd[1]), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int which = 0; which < STREAMS; which++)
        run(which);
    return 0;
}
