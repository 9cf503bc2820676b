/* On a descriptor that is not attached every function fails as libc's does, with the same errno: rule 1.1. */
#include "test.h"

/* Both calls give the same result and the same errno. */
#define BOTH(ours, libcs)                                                       \
    do {                                                                        \
        TEST_HERE(#ours);                                                       \
        errno = 0;                                                              \
        long long r1_ = (long long)(ours);                                      \
        int e1_ = errno;                                                        \
        errno = 0;                                                              \
        long long r2_ = (long long)(libcs);                                     \
        int e2_ = errno;                                                        \
        if (r1_ != r2_ || e1_ != e2_)                                           \
            test_fail(&test_place_, e1_, "gave %lld, libc %lld errno %d", r1_, r2_, e2_); \
    } while (0)

static struct iovec too_many[5000];

static void every_function(int fd)
{
    char b[8] = "";
    struct iovec iov = { b, sizeof b };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct address a = { .length = sizeof a.storage };
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct sockaddr *sa = (struct sockaddr *)&in;
    volatile int few = -1, many = 5000; /* gcc shall not see them */

    BOTH(ioevent_read(fd, b, 0), read(fd, b, 0));
    BOTH(ioevent_read(fd, b, 8), read(fd, b, 8));
    BOTH(ioevent_readv(fd, &iov, 1), readv(fd, &iov, 1));
    BOTH(ioevent_readv(fd, &iov, few), readv(fd, &iov, few));
    BOTH(ioevent_readv(fd, too_many, many), readv(fd, too_many, many));
    BOTH(ioevent_writev(fd, &iov, few), writev(fd, &iov, few));
    BOTH(ioevent_recv(fd, b, 8, MSG_DONTWAIT), recv(fd, b, 8, MSG_DONTWAIT));
    BOTH(ioevent_recv(fd, b, 8, MSG_OOB | MSG_DONTWAIT), recv(fd, b, 8, MSG_OOB | MSG_DONTWAIT));
    BOTH(ioevent_recvfrom(fd, b, 8, MSG_DONTWAIT, SOCKADDR(&a), &a.length),
         recvfrom(fd, b, 8, MSG_DONTWAIT, SOCKADDR(&a), &a.length));
    BOTH(ioevent_recvmsg(fd, &msg, MSG_DONTWAIT), recvmsg(fd, &msg, MSG_DONTWAIT));
    BOTH(ioevent_sendto(fd, b, 1, MSG_NOSIGNAL, sa, 1), sendto(fd, b, 1, MSG_NOSIGNAL, sa, 1));
    BOTH(ioevent_accept(fd, NULL, NULL), accept(fd, NULL, NULL));
    BOTH(ioevent_accept4(fd, NULL, NULL, 0), accept4(fd, NULL, NULL, 0));
    BOTH(ioevent_accept4(fd, NULL, NULL, 12345), accept4(fd, NULL, NULL, 12345));
    BOTH(ioevent_connect(fd, sa, 1), connect(fd, sa, 1));
    BOTH(ioevent_fcntl(fd, 9999, 0), fcntl(fd, 9999, 0));
    BOTH(ioevent_fcntl(fd, -1, 0), fcntl(fd, -1, 0));
    BOTH(ioevent_fcntl(fd, F_GETFD), fcntl(fd, F_GETFD));
    BOTH(ioevent_fcntl(fd, F_DUPFD, -1), fcntl(fd, F_DUPFD, -1));
    BOTH(ioevent_fcntl(fd, F_GETPIPE_SZ), fcntl(fd, F_GETPIPE_SZ));
}

static void writes(int fd)
{
    char b[8] = "";
    struct iovec iov = { b, sizeof b };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    BOTH(ioevent_write(fd, b, 0), write(fd, b, 0));
    BOTH(ioevent_write(fd, b, 1), write(fd, b, 1));
    BOTH(ioevent_writev(fd, &iov, 1), writev(fd, &iov, 1));
    BOTH(ioevent_send(fd, b, 1, MSG_NOSIGNAL), send(fd, b, 1, MSG_NOSIGNAL));
    BOTH(ioevent_sendmsg(fd, &msg, MSG_NOSIGNAL), sendmsg(fd, &msg, MSG_NOSIGNAL));
}

int main(void)
{
    int fd[2], s;
    int closed = OK(dup(0));

    OK(ioeventpipe(1));
    OK(close(closed));
    signal(SIGPIPE, SIG_IGN);

    /* descriptors that are none */
    int none[] = { -1, -2, INT_MIN, INT_MAX, 100000000, closed };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        every_function(none[i]);
        writes(none[i]);
        BOTH(ioevent_close(none[i]), close(none[i]));
    }

    /* a pipe whose writer is gone, and one whose reader is gone; each also at the wrong end */
    OK(pipe2(fd, O_NONBLOCK));
    every_function(fd[0]);
    every_function(fd[1]);
    writes(fd[0]);
    OK(close(fd[0]));
    every_function(fd[1]);
    writes(fd[1]);
    OK(close(fd[1]));

    /* sockets: not connected, connected, peer gone */
    s = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    every_function(s);
    writes(s);
    OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd));
    every_function(fd[0]);
    OK(close(fd[1]));
    every_function(fd[0]);
    writes(fd[0]);

    /* a directory, a file without access, an O_PATH descriptor */
    every_function(OK(open("/", O_RDONLY | O_DIRECTORY)));
    s = OK(open("/dev/null", O_WRONLY));
    every_function(s);
    writes(s);
    s = OK(open("/", O_PATH));
    every_function(s);
    writes(s);
    return 0;
}
