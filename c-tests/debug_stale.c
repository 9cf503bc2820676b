/*
 * IOEVENT_DEBUG names an operation that is given to a number under which another file was attached, which was closed by
 * plain close(2): the number is another file now, or none. IOEVENT_DEBUG=abort ends the program with the report:
 * ioevent_debug(7), rule 7.4.
 */
#include "test.h"
#include "test_debug.h"

#include <sys/eventfd.h>

static char buf[64];
static int p, fd[2];

static void begin(void)
{
    p = OK(ioeventpipe(8));
    unix_pair(fd);
    fd[0] = debug_number(fd[0]);
    ATTACH(fd[0], p, 0x55);
    OK(close(fd[0]));
}

static void end(void)
{
    OK(ioevent_close(fd[0]));
    HARVEST(p);
    OK(ioevent_close(p));
}

static void other_file(void)
{
    int other[2];

    begin();
    unix_pair(other);
    debug_number(other[0]);
    QUEUED(ioevent_write(fd[0], "x", 1));
    EXPECT(p, 0x55, 1, 0);
    QUEUED(ioevent_write(fd[0], "x", 1));
    end();
}

static void no_file(void)
{
    begin();
    QUEUED(ioevent_recv(fd[0], buf, sizeof buf, 0));
    EXPECT(p, 0x55, -1, EBADF);
    OK(ioevent_close(p));
}

/* Another eventfd: the two differ in nothing that fstat(2) tells. */
static void of_its_kind(void)
{
    p = OK(ioeventpipe(8));
    fd[0] = debug_number(OK(eventfd(0, 0)));
    ATTACH(fd[0], p, 0x55);
    OK(close(fd[0]));
    fd[0] = debug_number(OK(eventfd(1, 0)));
    QUEUED(ioevent_read(fd[0], buf, 8));
    end();
}

static void its_own(void)
{
    begin();
    unix_pair(fd);
    fd[0] = debug_number(fd[0]);
    ATTACH(fd[0], p, 0x55);
    QUEUED(ioevent_write(fd[0], "x", 1));
    end();
}

int main(void)
{
    SAID("1", other_file, 1, "ioevent: ioevent_write of descriptor 77 (user pointer 0x55): the number is another file now");
    SAID("1", no_file, 1, "ioevent: ioevent_recv of descriptor 77 (user pointer 0x55): the number is not open");
    SAID("1", of_its_kind, 1, "(user pointer 0x55): the number is another file now");
    SAID_NOTHING("1", its_own);
    SAID_NOTHING("0", other_file);
    CHECK(debug_lines(debugged("abort", other_file)) == 1);
    CHECK(WIFSIGNALED(debug_status) && WTERMSIG(debug_status) == SIGABRT);
    SAID_NOTHING("abort", its_own);
    return 0;
}
