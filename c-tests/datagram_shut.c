/*
 * A socket of messages that is shut down for reading: a blocking read gives what is there, then 0. A call that does not
 * wait would give EAGAIN for ever: rule 2.4, rule 2.5.
 */
#include "test.h"

static void run(int fd[2], bool before)
{
    int p = OK(ioeventpipe(4));
    char b[8];
    struct iovec iov = { b, sizeof b };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

    OK(send(fd[1], "abc", 3, 0));
    if (before)
        OK(shutdown(fd[0], SHUT_RD));
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    EXPECT(p, 1, 3, 0);
    QUEUED(ioevent_recv(fd[0], b, sizeof b, 0));
    QUEUED(ioevent_recvmsg(fd[0], &m, MSG_DONTWAIT));
    QUEUED(ioevent_readv(fd[0], &iov, 1));
    if (!before) {
        QUIET(p);
        OK(shutdown(fd[0], SHUT_RDWR));
    }
    for (int i = 0; i < 3; i++)
        EXPECT(p, 1, 0, 0);
    QUIET(p);
    GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
    GIVES(ioevent_close(p), 0);
}

/* The same directly (rule 2.8), after a read that waited. */
static void run_inline(int fd[2])
{
    int p = OK(ioeventpipe(4));
    char b[8];

    ATTACH(fd[0], p, 1);
    GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    for (int i = 0; i < 3; i++) {
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        QUIET(p);
        OK(send(fd[1], "abcd", 4, 0));
        EXPECT(p, 1, 4, 0);
    }
    OK(shutdown(fd[0], SHUT_RD));
    QUIET(p); /* and the library knows of it */
    for (int i = 0; i < 3; i++)
        GIVES(ioevent_read(fd[0], b, sizeof b), 0);
    QUIET(p);
    GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int before = 0; before < 2; before++) {
        struct address a, b;
        int fd[2];

        OK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fd));
        run(fd, before);
        OK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd));
        run(fd, before);
        fd[0] = bound_socket(AF_INET, SOCK_DGRAM, &a);
        fd[1] = bound_socket(AF_INET, SOCK_DGRAM, &b);
        OK(connect(fd[0], SOCKADDR(&b), b.length));
        OK(connect(fd[1], SOCKADDR(&a), a.length));
        run(fd, before);
    }
    for (int type = 0; type < 2; type++) {
        int fd[2];

        OK(socketpair(AF_UNIX, (type ? SOCK_SEQPACKET : SOCK_DGRAM) | SOCK_CLOEXEC, 0, fd));
        run_inline(fd);
    }
    return 0;
}
