/*
 * With IOEVENT_INLINE the calls for datagrams and connections give their results directly, too: rule 2.8, rule 5.1.
 */
#include "test.h"

#define DIRECT(call, result)                                                    \
    do {                                                                        \
        TEST_HERE(#call);                                                       \
        errno = 4321;                                                           \
        long long r_ = (long long)(call), e_ = (long long)(result);             \
        if (r_ != e_ || errno != 4321)                                          \
            test_fail(&test_place_, errno, "gave %lld, not %lld directly", r_, e_); \
    } while (0)

static int p;

static void in_line(int fd)
{
    ATTACH(fd, p, fd);
    GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
}

int main(void)
{
    int fd[2], l, c, s;
    char a[8] = "";
    struct iovec iov = { a, 8 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct address to, peer = { .length = sizeof peer.storage };

    p = OK(ioeventpipe(4));
    OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd));
    in_line(fd[0]);
    DIRECT(ioevent_send(fd[0], "abc", 3, 0), 3);
    DIRECT(ioevent_sendto(fd[0], "defg", 4, 0, NULL, 0), 4);
    DIRECT(ioevent_sendmsg(fd[0], &msg, 0), 8);
    in_line(fd[1]);
    DIRECT(ioevent_recv(fd[1], a, 8, 0), 3);
    DIRECT(ioevent_recvfrom(fd[1], a, 8, 0, SOCKADDR(&peer), &peer.length), 4);
    DIRECT(ioevent_recvmsg(fd[1], &msg, MSG_DONTWAIT), 8);
    QUEUED(ioevent_recv(fd[1], a, 8, MSG_DONTWAIT));
    OK(write(fd[0], "x", 1));
    EXPECT(p, fd[1], 1, 0);
    DIRECT(ioevent_shutdown(fd[0], SHUT_WR), 0);

    l = listener(AF_UNIX, 4, &to);
    in_line(l);
    c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    in_line(c);
    DIRECT(ioevent_connect(c, SOCKADDR(&to), to.length), 0);
    peer.length = sizeof peer.storage;
    errno = 4321;
    s = OK(ioevent_accept(l, SOCKADDR(&peer), &peer.length));
    SAME(errno, 4321);
    SAME(peer.storage.ss_family, AF_UNIX);
    ATTACHED(s, -1, 0);
    OK(write(s, "x", 1));
    DIRECT(ioevent_recv(c, a, 8, 0), 1);
    QUEUED(ioevent_accept4(l, NULL, NULL, SOCK_CLOEXEC));
    GIVES(ioevent_cancel(l), 1);
    EXPECT(p, l, -1, ECANCELED);
    STAYS_QUIET(p);
    return 0;
}
