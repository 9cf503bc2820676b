/*
 * A read that is not finished in time is ended with ETIMEDOUT, never early, and the next one gets the data; one that
 * moved some bytes gives their count: rule 4.6, rule 2.4.
 */
#include "test.h"

enum { LIMIT = 15000000 };

static int p, fd[2];

static void limit(long ns)
{
    GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTTIMEO, &(struct timespec){ 0, ns }), 0);
}

static void run(int which)
{
    char a[16], b[16];
    struct iovec iov = { a, sizeof a };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct ioevent e;
    int moved;

    if (!stream_pair(which, fd))
        return;
    ATTACH(fd[0], p, 1);
    for (int call = 0; call < (which == STREAM_PIPE ? 2 : 6); call++) {
        long long start = now_ns();

        limit(LIMIT);
        ATTACH(fd[0], p, 1);
        if (call == 0)
            QUEUED(ioevent_read(fd[0], a, sizeof a));
        else if (call == 1)
            QUEUED(ioevent_readv(fd[0], &iov, 1));
        else if (call == 2)
            QUEUED(ioevent_recv(fd[0], a, sizeof a, MSG_DONTWAIT));
        else if (call == 3)
            QUEUED(ioevent_recvfrom(fd[0], a, sizeof a, 0, NULL, NULL));
        else if (call == 4)
            QUEUED(ioevent_recvmsg(fd[0], &msg, 0));
        else
            QUEUED(ioevent_recv(fd[0], a, sizeof a, MSG_WAITALL));
        ATTACH(fd[0], p, 2);
        limit(0);
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        if (call % 2) /* none of the program's threads looks: one of the library's does */
            for (int i = 0; i < 40; i++)
                breathe();
        EXPECT(p, 1, -1, ETIMEDOUT);
        CHECK(now_ns() - start >= LIMIT);
        QUIET(p);
        memset(a, 0, sizeof a);
        OK(write(fd[1], "abc", 3));
        EXPECT(p, 2, 3, 0);
        CHECK(memcmp(b, "abc", 3) == 0 && is_all(a, 0, sizeof a));
    }

    /* some bytes came */
    if (which != STREAM_PIPE) {
        limit(LIMIT);
        QUEUED(ioevent_recv(fd[0], a, sizeof a, MSG_WAITALL));
        OK(write(fd[1], "wxyz", 4));
        e = HARVEST(p);
        moved = e.ioe_result == -1 ? 0 : e.ioe_result;
        SAME(e.ioe_errno, ETIMEDOUT);
        CHECK(moved <= 4 && memcmp(a, "wxyz", (size_t)moved) == 0);
        SAME((size_t)moved + drain(fd[0]), 4);
    }

    /* in time: no event comes later */
    limit(1000 * 1000000L - 1);
    QUEUED(ioevent_read(fd[0], a, sizeof a));
    OK(write(fd[1], "in time", 7));
    e = HARVEST(p);
    if (e.ioe_errno != ETIMEDOUT) /* on a machine that was very busy */
        SAME(e.ioe_result, 7);
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
}

int main(void)
{
    p = OK(ioeventpipe(8));
    for (int which = 0; which < STREAMS; which++)
        run(which);
    return 0;
}
