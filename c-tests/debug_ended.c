/*
 * IOEVENT_DEBUG names what is outstanding when a pipe is closed, and when the program ends: after its own functions of
 * atexit(3), and in the process that it belongs to: ioevent_debug(7), rule 7.4.
 */
#include "test.h"
#include "test_debug.h"

static char buf[64];
static int p, fd[2];

static void begin(void)
{
    p = OK(ioeventpipe(32));
    unix_pair(fd);
    fd[0] = debug_number(fd[0]);
    ATTACH(fd[0], p, 0x99);
}

static void closes(void)
{
    begin();
    QUEUED(ioevent_read(fd[0], buf, sizeof buf));
    QUEUED(ioevent_write(fd[0], "x", 1));
    OK(ioevent_close(p));
}

static void closes_timer(void)
{
    struct ioevent_op timer = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_user = USER(0x42), .ioo_timeout = { 1000, 0 } };

    begin();
    timer.ioo_fd = p;
    GIVES(ioevent_submit(&timer, 1), 1);
    OK(ioevent_close(p));
}

static void ends(void)
{
    begin();
    QUEUED(ioevent_poll(fd[0], POLLIN));
}

static void ends_with_many(void)
{
    begin();
    for (int i = 0; i < 20; i++)
        QUEUED(ioevent_poll(fd[0], POLLIN));
}

static void close_pipe(void)
{
    OK(ioevent_close(fd[0]));
    HARVEST(p);
    OK(ioevent_close(p));
}

static void ends_after_its_own(void)
{
    SAME(atexit(close_pipe), 0);
    ends();
}

static void forks(void)
{
    pid_t pid;

    ends();
    if (child(&pid))
        exit(0); /* what is outstanding is its parent's */
    CHILD_PASSED(pid);
    close_pipe();
}

static void forks_and_is_wrong(void)
{
    pid_t pid;

    ends();
    if (child(&pid)) {
        OK(close(fd[0]));
        ends();
        _exit(0);
    }
    CHILD_PASSED(pid);
    if (child(&pid)) {
        OK(close(fd[0]));
        closes();
        exit(0);
    }
    CHILD_PASSED(pid);
    close_pipe();
}

int main(void)
{
    SAID("1", closes, 2, "is closed while ioevent_read of descriptor 77 (user pointer 0x99) is outstanding\n");
    SAID("1", closes, 2, "is closed while ioevent_write of descriptor 77 (user pointer 0x99) is complete, and its event was "
         "not harvested\n");
    SAID("1", closes_timer, 1, "while a timer of pipe ");
    SAID("1", ends, 1, "the program ends while ioevent_poll of descriptor 77 (user pointer 0x99) is outstanding\n");
    SAID("1", ends_with_many, 17, "the program ends while 4 more operations are outstanding\n");
    SAID_NOTHING("1", ends_after_its_own);
    SAID_NOTHING("1", forks);
    SAID("1", forks_and_is_wrong, 2, "is closed while ioevent_read of descriptor 77");
    SAID_NOTHING("0", closes);
    SAID_NOTHING(NULL, ends);
    return 0;
}
