/*
 * A sendfile that waits for its receiver can be ended: its event has what was taken and why, the offset says so too,
 * and a write behind it goes on from there: rule 2.4, rule 4.7, rule 4.3.
 */
#include "test_file.h"

enum { SIZE = 16 << 20 };

static char block[SIZE];

static void run(int which, int in, int how)
{
    int p = OK(ioeventpipe(4)), fd[2], n;
    struct timespec soon = { 0, 50000000 };
    struct ioevent e;
    off_t at = 0;

    if (!stream_pair(which, fd))
        return;
    ATTACH(fd[1], p, 1);
    if (how == 3)
        GIVES(ioevent_fcntl(fd[1], F_SETIOEVENTTIMEO, &soon), 0);
    QUEUED(ioevent_sendfile(fd[1], in, &at, SIZE));
    CHECK(poll(&(struct pollfd){ .fd = fd[0], .events = POLLIN }, 1, -1) == 1);
    switch (how) { /* what ends when the disk has done its work is not counted, rule 4.8 */
    case 0:
        n = OK(ioevent_cancel(fd[1]));
        CHECK(n == 0 || n == 1);
        break;
    case 1:
        n = OK(ioevent_cancel2(fd[1], IOEVENT_CANCEL_OUT, NULL));
        CHECK(n == 0 || n == 1);
        break;
    case 2:
        DETACH(fd[1]);
        ATTACH(fd[1], p, 2);
        break;
    }
    e = HARVEST(p);
    CHECK(e.ioe_user == USER(1));
    CHECK(e.ioe_result > 0 && e.ioe_result < SIZE);
    SAME(e.ioe_errno, how == 3 ? ETIMEDOUT : ECANCELED);
    SAME(at, e.ioe_result);
    SAME(position(in), 0);
    STAYS_QUIET(p);

    /* the stream has that much, and then what is written now */
    if (how == 3)
        GIVES(ioevent_fcntl(fd[1], F_SETIOEVENTTIMEO, &no_wait), 0);
    QUEUED(ioevent_write(fd[1], "end", 3));
    read_all(fd[0], block, (size_t)e.ioe_result);
    CHECK(is_pattern(block, 0, (size_t)e.ioe_result));
    EXPECT(p, how == 2 ? 2 : 1, 3, 0);
    read_all(fd[0], block, 3);
    CHECK(memcmp(block, "end", 3) == 0);
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd[1]), 0);
    CHECK(sees_end(fd[0]));
    OK(close(fd[0]));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    int in = disk_file();

    fill_file(in, SIZE);
    for (int which = 0; which < STREAM_PIPE; which++) /* into a pipe it ends with what fits */
        for (int how = 0; how < 4; how++)
            run(which, in, how);
    return 0;
}
