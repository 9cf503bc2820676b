/*
 * IOEVENT_DEBUG names an attached descriptor that was closed by plain close(2) while something was outstanding on it:
 * where no further call is made, where the number is attached again or given out again at once, and where it is closed
 * by ioevent_close. What is outstanding no more is no fault: ioevent_debug(7), rule 7.4.
 */
#include "test.h"
#include "test_debug.h"

#define CLOSED "descriptor 77 was closed by close(2) while ioevent_read of descriptor 77 (user pointer 0x1234)"

static char buf[64];
static int p, fd[2];

static void begin(void)
{
    p = OK(ioeventpipe(8));
    unix_pair(fd);
    fd[0] = debug_number(fd[0]);
    ATTACH(fd[0], p, 0x1234);
    QUEUED(ioevent_read(fd[0], buf, sizeof buf));
}

static void end(void)
{
    EXPECT(p, 0x1234, -1, ECANCELED);
    OK(ioevent_close(p));
}

static void waits(void)
{
    begin();
    OK(close(fd[0]));
    until_reported();
    FAILS(ioevent_fcntl(fd[0], F_GETIOEVENTPIPE, &(int){ 0 }, &(void *){ NULL }), EBADF);
    end();
}

static void attaches_again(void)
{
    int again[2];

    begin();
    OK(close(fd[0]));
    unix_pair(again);
    ATTACH(debug_number(again[0]), p, 5);
    end();
}

static void closes_again(void)
{
    begin();
    OK(close(fd[0]));
    FAILS(ioevent_close(fd[0]), EBADF);
    end();
}

static void closes_idle(void)
{
    begin();
    OK(write(fd[1], "x", 1));
    EXPECT(p, 0x1234, 1, 0);
    OK(close(fd[0]));
    FAILS(ioevent_close(fd[0]), EBADF);
    OK(ioevent_close(p));
}

static void closes_well(void)
{
    int other[2];

    begin();
    unix_pair(other);
    GIVES(ioevent_dup2(other[0], fd[0]), fd[0]);
    EXPECT(p, 0x1234, -1, ECANCELED);
    ATTACH(fd[0], p, 0x1234);
    QUEUED(ioevent_read(fd[0], buf, sizeof buf));
    OK(ioevent_close(fd[0]));
    end();
}

static void closes_many(void)
{
    int n = 100, pair[2];

    p = OK(ioeventpipe(n));
    for (int i = 0; i < n; i++) {
        unix_pair(pair);
        ATTACH(pair[0], p, i);
        QUEUED(ioevent_poll(pair[0], POLLPRI));
        OK(close(pair[0]));
        OK(close(pair[1]));
        FAILS(ioevent_close(pair[0]), EBADF);
        EXPECT(p, i, -1, ECANCELED);
    }
    OK(ioevent_close(p));
}

int main(void)
{
    SAID("1", waits, 1, CLOSED " was outstanding, pipe");
    SAID("1", attaches_again, 1, CLOSED);
    SAID("1", closes_again, 1, CLOSED);
    SAID_NOTHING("1", closes_idle);
    SAID_NOTHING("1", closes_well);
    SAID_NOTHING("0", attaches_again);
    SAID_NOTHING("", closes_again);
    SAID_NOTHING(NULL, closes_again);
    /* no flood */
    SAID("1", closes_many, 65, "no more of them are reported");
    return 0;
}
