/*
 * A write that is not finished in time is ended with ETIMEDOUT, and the count of what was taken if some was; the peer
 * gets what the events say: rule 4.6, rule 2.4.
 */
#include "test.h"

enum { SIZE = 4 << 20, LIMIT = 20000000 };

static char out[SIZE];

/* Buffers that do not grow, so that a large write never fits. */
static void small_buffers(const int *fd)
{
    int n = 100000;

    for (int i = 0; i < 2; i++) {
        setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &n, sizeof n);
        setsockopt(fd[i], SOL_SOCKET, SO_RCVBUF, &n, sizeof n);
    }
}

static void run(int which)
{
    int fd[2], p = OK(ioeventpipe(8));
    size_t total = 0;
    long long start;
    static char block[65536];

    if (!stream_pair(which, fd))
        return;
    small_buffers(fd);
    ATTACH(fd[1], p, 1);
    GIVES(ioevent_fcntl(fd[1], F_SETIOEVENTTIMEO, &(struct timespec){ 0, LIMIT }), 0);
    start = now_ns();
    QUEUED(ioevent_write(fd[1], out, SIZE));
    ATTACH(fd[1], p, 2);
    if (which == STREAM_PIPE)
        QUEUED(ioevent_write(fd[1], out, SIZE));
    else
        QUEUED(ioevent_send(fd[1], out, SIZE, MSG_DONTWAIT));
    for (int i = 0; i < 2; i++) {
        struct ioevent e = HARVEST(p);

        CHECK(now_ns() - start >= LIMIT);
        SAME(e.ioe_errno, ETIMEDOUT);
        if (e.ioe_result == -1) {
            CHECK(e.ioe_user == USER(2)); /* the first one moved something */
        } else {
            CHECK(e.ioe_result > 0 && e.ioe_result < SIZE);
            total += (size_t)e.ioe_result;
        }
    }
    STAYS_QUIET(p);

    /* it stands full: the next one moves nothing, and one without a limit goes on when there is room */
    if (which != STREAM_TCP4 && which != STREAM_TCP6) {
        QUEUED(ioevent_write(fd[1], out, SIZE));
        EXPECT(p, 2, -1, ETIMEDOUT);
    }
    GIVES(ioevent_fcntl(fd[1], F_SETIOEVENTTIMEO, &no_wait), 0);
    QUEUED(ioevent_write(fd[1], "end", 3));
    for (size_t n; total > 0; total -= n) {
        n = total < sizeof block ? total : sizeof block;
        read_all(fd[0], block, n);
        CHECK(is_all(block, 0, n));
    }
    EXPECT(p, 2, 3, 0);
    read_all(fd[0], block, 3);
    CHECK(memcmp(block, "end", 3) == 0);
    GIVES(ioevent_close(fd[1]), 0);
    CHECK(sees_end(fd[0]));
    OK(close(fd[0]));
    STAYS_QUIET(p);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int which = 0; which < STREAMS; which++)
        run(which);
    return 0;
}
