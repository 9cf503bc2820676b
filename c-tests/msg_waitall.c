/*
 * MSG_WAITALL completes with all bytes, or with those that came before the end of file; ended early it delivers what
 * it took, and why: rule 2.4.
 */
#include "test.h"

static void run(int family)
{
    int fd[2], p = OK(ioeventpipe(8));
    char a[16] = "", b[16] = "";
    struct iovec iov[2] = { { a, 3 }, { b, 5 } };
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
    struct ioevent e;

    if (!tcp_pair(family, fd))
        return;
    ATTACH(fd[0], p, 1);

    /* in three parts */
    QUEUED(ioevent_recv(fd[0], a, 10, MSG_WAITALL));
    QUEUED(ioevent_recv(fd[0], b, 10, 0));
    OK(write(fd[1], "abcd", 4));
    STAYS_QUIET(p);
    OK(write(fd[1], "efghi", 5));
    STAYS_QUIET(p);
    OK(write(fd[1], "jkl", 3));
    EXPECT(p, 1, 10, 0);
    EXPECT(p, 1, 2, 0);
    CHECK(memcmp(a, "abcdefghij", 10) == 0 && memcmp(b, "kl", 2) == 0);

    /* over iovecs */
    QUEUED(ioevent_recvmsg(fd[0], &msg, MSG_WAITALL));
    OK(write(fd[1], "01", 2));
    STAYS_QUIET(p);
    OK(write(fd[1], "234", 3));
    STAYS_QUIET(p);
    OK(write(fd[1], "567", 3));
    EXPECT(p, 1, 8, 0);
    CHECK(memcmp(a, "012", 3) == 0 && memcmp(b, "34567", 5) == 0);

    /* cancelled half way: what it took and what is left is all there was */
    QUEUED(ioevent_recv(fd[0], a, 10, MSG_WAITALL));
    OK(write(fd[1], "abcd", 4));
    STAYS_QUIET(p);
    GIVES(ioevent_cancel(fd[0]), 1);
    e = HARVEST(p);
    SAME(e.ioe_errno, ECANCELED);
    SAME((e.ioe_result == -1 ? 0 : e.ioe_result) + drain(fd[0]), 4);
    STAYS_QUIET(p);

    /* the end of file half way */
    QUEUED(ioevent_recv(fd[0], a, 10, MSG_WAITALL));
    OK(write(fd[1], "wxyz", 4));
    STAYS_QUIET(p);
    OK(close(fd[1]));
    EXPECT(p, 1, 4, 0);
    CHECK(memcmp(a, "wxyz", 4) == 0);
    QUEUED(ioevent_recv(fd[0], a, 10, MSG_WAITALL));
    EXPECT(p, 1, 0, 0);
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd[0]), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    run(AF_INET);
    run(AF_UNIX);
    return 0;
}
