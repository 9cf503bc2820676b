/*
 * A splice that waits ends with ECANCELED when it is cancelled, and its descriptor detached or closed; a write to the
 * same destination works after that, and nothing of the source is lost: rule 4.7, rule 4.3, rule 3.7.
 */
#include "test_file.h"

enum { CANCEL, CANCEL_DIRECTION, CANCEL_USER, DETACHED, CLOSED, TIMEOUT, PIPE_CLOSED, HOWS };

static void run(int which, int how, bool of_source)
{
    int p = OK(ioeventpipe(8)), in[2], out[2], mine, rest;
    struct timespec soon = { 0, 20000000 };
    int direction = of_source ? IOEVENT_CANCEL_IN : IOEVENT_CANCEL_OUT;
    char b[8];

    if (!stream_pair(which, out))
        return;
    OK(pipe2(in, O_CLOEXEC));
    mine = of_source ? in[0] : out[1];
    ATTACH(mine, p, 1);
    if (how == TIMEOUT)
        GIVES(ioevent_fcntl(mine, F_SETIOEVENTTIMEO, &soon), 0);
    QUEUED(ioevent_splice(in[0], NULL, out[1], NULL, 8, 0));
    if (how != TIMEOUT)
        QUIET(p);
    switch (how) {
    case CANCEL: GIVES(ioevent_cancel(mine), 1); break;
    case CANCEL_DIRECTION: /* the direction that it does not have ends nothing */
        GIVES(ioevent_cancel2(mine, IOEVENT_CANCEL_ALL & ~direction, NULL), 0);
        GIVES(ioevent_cancel2(mine, direction, NULL), 1);
        break;
    case CANCEL_USER:
        GIVES(ioevent_cancel2(mine, IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(2)), 0);
        GIVES(ioevent_cancel2(mine, IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(1)), 1);
        break;
    case DETACHED: DETACH(mine); break;
    case CLOSED:
        rest = OK(fcntl(mine, F_DUPFD_CLOEXEC, 0));
        GIVES(ioevent_close(mine), 0);
        OK(dup2(rest, mine));
        OK(close(rest));
        break;
    case PIPE_CLOSED: GIVES(ioevent_close(p), 0); break;
    }
    if (how != PIPE_CLOSED)
        EXPECT(p, 1, -1, how == TIMEOUT ? ETIMEDOUT : ECANCELED);
    else
        p = OK(ioeventpipe(8));

    /* it takes nothing that comes now */
    OK(write(in[1], "rest", 4));
    STAYS_QUIET(p);
    ATTACH(out[1], p, 2);
    QUEUED(ioevent_write(out[1], "end", 3));
    EXPECT(p, 2, 3, 0);
    read_all(out[0], b, 3);
    CHECK(memcmp(b, "end", 3) == 0);
    GIVES(read(in[0], b, sizeof b), 4);
    CHECK(memcmp(b, "rest", 4) == 0);
    QUIET(p);
    GIVES(ioevent_close(out[1]), 0);
    CHECK(sees_end(out[0]));
    GIVES(ioevent_close(in[0]), 0);
    OK(close(in[1]));
    OK(close(out[0]));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int which = 0; which < STREAMS; which++)
        for (int how = 0; how < HOWS; how++) {
            run(which, how, false);
            run(which, how, true);
        }
    return 0;
}
