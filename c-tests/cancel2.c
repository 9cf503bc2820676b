/* ioevent_cancel2 ends only what it is told to: by direction, and by user pointer: rule 4.7. Bad arguments: rule
 * 1.4. */
#include "test.h"

static int p, fd[2];
static char in[2][8], out[4 << 20];

/* Two reads, a write that cannot be finished, and a poll for what does not come. */
static void begin(void)
{
    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_read(fd[0], in[0], sizeof in[0]));
    QUEUED(ioevent_write(fd[0], out, sizeof out));
    QUEUED(ioevent_poll(fd[0], POLLPRI));
    ATTACH(fd[0], p, 2); /* for operations from now on */
    QUEUED(ioevent_read(fd[0], in[1], sizeof in[1]));
    QUIET(p);
}

/* Ends the rest, of which there are so many; and takes their events. */
static void end(int rest)
{
    struct ioevent e[4];

    GIVES(ioevent_cancel(fd[0]), rest);
    GIVES(ioevent_wait(p, e, 4, NULL), rest);
    QUIET(p);
    GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
}

int main(void)
{
    struct ioevent e[4];

    p = OK(ioeventpipe(8));

    begin();
    GIVES(ioevent_cancel2(fd[0], IOEVENT_CANCEL_IN, NULL), 2);
    EXPECT(p, 1, -1, ECANCELED);
    EXPECT(p, 2, -1, ECANCELED);
    QUIET(p);
    end(2);

    begin();
    GIVES(ioevent_cancel2(fd[0], IOEVENT_CANCEL_OUT, NULL), 1);
    GIVES(ioevent_wait(p, e, 4, NULL), 1);
    CHECK(e[0].ioe_user == USER(1) && e[0].ioe_result > 0 && e[0].ioe_result < (int)sizeof out);
    end(3);

    begin();
    GIVES(ioevent_cancel2(fd[0], IOEVENT_CANCEL_POLL, NULL), 1);
    EXPECT(p, 1, -1, ECANCELED);
    end(3);

    begin();
    GIVES(ioevent_cancel2(fd[0], IOEVENT_CANCEL_IN | IOEVENT_CANCEL_USER, USER(2)), 1);
    EXPECT(p, 2, -1, ECANCELED);
    GIVES(ioevent_cancel2(fd[0], IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(2)), 0);
    GIVES(ioevent_cancel2(fd[0], IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(3)), 0);
    QUIET(p);
    /* the first read is still there, and works */
    OK(write(fd[1], "abc", 3));
    EXPECT(p, 1, 3, 0);
    end(2);

    begin();
    GIVES(ioevent_cancel2(fd[0], IOEVENT_CANCEL_IN | IOEVENT_CANCEL_POLL, NULL), 3);
    GIVES(ioevent_wait(p, e, 4, NULL), 3);
    FAILS(ioevent_cancel2(fd[0], 0, NULL), EINVAL);
    FAILS(ioevent_cancel2(fd[0], IOEVENT_CANCEL_USER, USER(1)), EINVAL);
    FAILS(ioevent_cancel2(fd[0], IOEVENT_CANCEL_ALL | 16, NULL), EINVAL);
    FAILS(ioevent_cancel2(fd[0], -1, NULL), EINVAL);
    end(1);

    FAILS(ioevent_cancel2(fd[0], IOEVENT_CANCEL_ALL, NULL), EBADF);
    unix_pair(fd);
    FAILS(ioevent_cancel2(fd[0], IOEVENT_CANCEL_ALL, NULL), EINVAL); /* not attached */
    GIVES(ioevent_cancel2(p, IOEVENT_CANCEL_OUT, NULL), 0); /* a pipe without timers */
    return 0;
}
