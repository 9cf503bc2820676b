/* On a descriptor that is not attached every function does at once what libc's does: rule 1.1. */
#include "test.h"

int main(void)
{
    int fd[2], s, c, a;
    char b[16] = "", b2[4] = "";
    struct iovec iov[2] = { { b, 3 }, { b2, 4 } };
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
    struct address addr, from = { .length = sizeof from.storage };

    OK(ioeventpipe(1)); /* that there is a pipe changes nothing */
    unix_pair(fd);
    GIVES(ioevent_write(fd[1], "abcdef", 6), 6);
    GIVES(ioevent_read(fd[0], b, 4), 4);
    CHECK(memcmp(b, "abcd", 4) == 0);
    GIVES(ioevent_readv(fd[0], iov, 2), 2);
    CHECK(memcmp(b, "ef", 2) == 0);
    GIVES(ioevent_writev(fd[1], iov, 2), 7);
    GIVES(ioevent_recv(fd[0], b, sizeof b, MSG_PEEK), 7);
    GIVES(ioevent_recvmsg(fd[0], &msg, 0), 7);
    SAME(msg.msg_flags, 0);
    GIVES(ioevent_send(fd[1], "gh", 2, MSG_NOSIGNAL), 2);
    GIVES(ioevent_recvfrom(fd[0], b, sizeof b, 0, NULL, NULL), 2);
    CHECK(memcmp(b, "gh", 2) == 0);
    GIVES(ioevent_sendmsg(fd[1], &msg, 0), 7);
    GIVES(ioevent_recv(fd[0], b, sizeof b, MSG_DONTWAIT), 7);
    FAILS(ioevent_recv(fd[0], b, sizeof b, MSG_DONTWAIT), EAGAIN);
    set_nonblock(fd[0], true);
    FAILS(ioevent_read(fd[0], b, sizeof b), EAGAIN);
    FAILS(ioevent_readv(fd[0], iov, 2), EAGAIN);
    FAILS(ioevent_recvfrom(fd[0], b, sizeof b, 0, NULL, NULL), EAGAIN);
    FAILS(ioevent_recvmsg(fd[0], &msg, 0), EAGAIN);
    GIVES(ioevent_close(fd[1]), 0);
    FAILS(fcntl(fd[1], F_GETFD), EBADF);
    GIVES(ioevent_read(fd[0], b, sizeof b), 0);
    GIVES(ioevent_close(fd[0]), 0);

    /* a connection */
    s = listener(AF_INET, 5, &addr);
    c = OK(socket(AF_INET, SOCK_STREAM, 0));
    GIVES(ioevent_connect(c, SOCKADDR(&addr), addr.length), 0);
    FAILS(ioevent_connect(c, SOCKADDR(&addr), addr.length), EISCONN);
    a = OK(ioevent_accept(s, SOCKADDR(&from), &from.length));
    SAME(from.length, sizeof(struct sockaddr_in));
    SAME(from.storage.ss_family, AF_INET);
    SAME(fcntl(a, F_GETFD), 0);
    OK(close(a));
    OK(close(c));
    c = OK(socket(AF_INET, SOCK_STREAM, 0));
    OK(connect(c, SOCKADDR(&addr), addr.length));
    a = OK(ioevent_accept4(s, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
    SAME(fcntl(a, F_GETFD), FD_CLOEXEC);
    CHECK(fcntl(a, F_GETFL) & O_NONBLOCK);
    set_nonblock(s, true);
    FAILS(ioevent_accept(s, NULL, NULL), EAGAIN);
    FAILS(ioevent_accept4(s, NULL, NULL, SOCK_CLOEXEC), EAGAIN);
    OK(close(a));
    OK(close(c));
    OK(close(s));

    /* datagrams with addresses */
    s = bound_socket(AF_INET, SOCK_DGRAM, &addr);
    c = bound_socket(AF_INET, SOCK_DGRAM, &from);
    GIVES(ioevent_sendto(c, "xyz", 3, 0, SOCKADDR(&addr), addr.length), 3);
    from.length = sizeof from.storage;
    GIVES(ioevent_recvfrom(s, b, 2, MSG_TRUNC, SOCKADDR(&from), &from.length), 3);
    SAME(from.length, sizeof(struct sockaddr_in));

    /* every other command of fcntl */
    SAME(ioevent_fcntl(s, F_GETFL), fcntl(s, F_GETFL));
    GIVES(ioevent_fcntl(s, F_SETFL, O_RDWR | O_NONBLOCK), 0);
    CHECK(fcntl(s, F_GETFL) & O_NONBLOCK);
    GIVES(ioevent_fcntl(s, F_SETFD, FD_CLOEXEC), 0);
    GIVES(ioevent_fcntl(s, F_GETFD), FD_CLOEXEC);
    a = OK(ioevent_fcntl(s, F_DUPFD, 100));
    CHECK(a >= 100);
    SAME(fcntl(a, F_GETFD), 0);
    a = OK(ioevent_fcntl(s, F_DUPFD_CLOEXEC, 100));
    SAME(fcntl(a, F_GETFD), FD_CLOEXEC);
    GIVES(ioevent_fcntl(s, F_SETOWN, getpid()), 0);
    GIVES(ioevent_fcntl(s, F_GETOWN), getpid());
    {
        FILE *file = tmpfile();
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

        CHECK(file != NULL);
        GIVES(ioevent_fcntl(fileno(file), F_SETLK, &lock), 0);
        GIVES(ioevent_fcntl(fileno(file), F_GETLK, &lock), 0);
        SAME(lock.l_type, F_UNLCK);
        GIVES(ioevent_write(fileno(file), "file", 4), 4);
        GIVES(ioevent_read(fileno(file), b, 4), 0);
        fclose(file);
    }
    return 0;
}
