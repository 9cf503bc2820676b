/*
 * epoll_ctl(2) is refused while a pipe is made, and while the library's own thread begins to look after it: the pipe is
 * refused, or works: its operations make progress while no thread harvests, its timers expire, it can be polled: rule
 * 2.7, rule 2.12, rule 3.6, rule 5.4.
 */
#include "test_refuse.h"

static char b[8];

/* All that a pipe is for. */
static void works(int p, bool nonblock)
{
    int fd[2];
    struct pollfd ready = { .fd = p, .events = POLLIN };
    struct ioevent_op timer = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_user = USER(9),
                                .ioo_timeout = { 0, 5000000 } };
    static char out[1 << 20];

    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    OK(write(fd[1], "abc", 3));
    EXPECT(p, 1, 3, 0);
    QUEUED(ioevent_write(fd[0], out, sizeof out));
    for (size_t n = 0; n < sizeof out; n += 4096) /* while no thread harvests */
        read_all(fd[1], out, 4096);
    EXPECT(p, 1, sizeof out, 0);
    GIVES(ioevent_submit(&timer, 1), 1);
    if (nonblock) {
        CHECK(poll(&ready, 1, test_timeout() * 500) == 1);
        UNTIL(({ struct ioevent e; ioevent_wait(p, &e, 1, &no_wait) == 1 && e.ioe_user == USER(9); }));
    } else {
        EXPECT(p, 9, 0, 0);
    }
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
}

static void run(int err, bool nonblock)
{
    int p, fd[2];

    refuse(EPOLL_CTL_ADD, err);
    p = ioeventpipe2(8, nonblock ? O_NONBLOCK : 0);
    refuse(0, 0);
    if (p == -1) {
        SAME(errno, err);
        p = OK(ioeventpipe2(8, nonblock ? O_NONBLOCK : 0));
    }
    works(p, nonblock);
    GIVES(ioevent_close(p), 0);

    /* in its first operations */
    p = OK(ioeventpipe2(8, nonblock ? O_NONBLOCK : 0));
    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    refuse(EPOLL_CTL_ADD, err);
    SAME(ioevent_read(fd[0], b, sizeof b), -1);
    if (errno == EIOEVENTQUEUED) {
        struct ioevent e;
        struct pollfd ready = { .fd = p, .events = POLLIN };

        for (int ms = 0; ms < 60; ms++)
            breathe();
        OK(write(fd[1], "abc", 3));
        for (int ms = 0; ms < 60; ms++)
            breathe();
        refuse(0, 0);
        if (nonblock)
            CHECK(poll(&ready, 1, test_timeout() * 500) == 1);
        e = HARVEST(p);
        CHECK(e.ioe_user == USER(1));
        CHECK(e.ioe_result == 3 || (e.ioe_result == -1 && e.ioe_errno == err));
    } else {
        SAME(errno, err);
    }
    refuse(0, 0);
    GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
    STAYS_QUIET(p);
    works(p, nonblock);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    refuse_start();
    for (int nonblock = 0; nonblock < 2; nonblock++) {
        run(ENOSPC, nonblock);
        run(ENOMEM, nonblock);
    }
    return 0;
}
