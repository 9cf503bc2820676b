/*
 * poll, and recv with MSG_OOB or MSG_ERRQUEUE, stand outside the order of the reads: rule 2.5. MSG_ERRQUEUE waits for
 * an error report.
 */
#include "test.h"

int main(void)
{
    int fd[2], p = OK(ioeventpipe(8)), s, gone, one = 1;
    struct address a, b;
    char x[8], y[8], control[512];
    struct iovec iov = { y, sizeof y };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };

    /* urgent data passes a read that waits */
    CHECK(tcp_pair(AF_INET, fd));
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_read(fd[0], x, sizeof x));
    QUIET(p);
    OK(send(fd[1], "!", 1, MSG_OOB));
    CHECK(poll(&(struct pollfd){ .fd = fd[0], .events = POLLPRI }, 1, -1) == 1);
    ATTACH(fd[0], p, 2);
    QUEUED(ioevent_recv(fd[0], y, 1, MSG_OOB));
    EXPECT(p, 2, 1, 0);
    SAME(y[0], '!');
    QUIET(p);
    OK(send(fd[1], "abc", 3, 0));
    EXPECT(p, 1, 3, 0);
    GIVES(ioevent_close(fd[0]), 0);

    /* the error report of a datagram that nobody took */
    gone = bound_socket(AF_INET, SOCK_DGRAM, &a);
    s = bound_socket(AF_INET, SOCK_DGRAM, &b);
    OK(close(gone));
    OK(setsockopt(s, IPPROTO_IP, IP_RECVERR, &one, sizeof one));
    ATTACH(s, p, 3);
    QUEUED(ioevent_recvmsg(s, &msg, MSG_ERRQUEUE));
    STAYS_QUIET(p);
    OK(sendto(s, "lost", 4, 0, SOCKADDR(&a), a.length));
    EXPECT(p, 3, 4, 0);
    CHECK(memcmp(y, "lost", 4) == 0);
    SAME(msg.msg_flags & MSG_ERRQUEUE, MSG_ERRQUEUE);
    STAYS_QUIET(p);
    return 0;
}
