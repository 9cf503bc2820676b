/*
 * With IOEVENT_POLLONLY every I/O call but ioevent_poll and ioevent_submit is libc's: the result comes directly, EAGAIN
 * with it, no place is taken, no event made: rule 2.11.
 */
#include "test.h"

static int p;

static void poll_only(int fd)
{
    ATTACH(fd, p, fd);
    GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_POLLONLY), 0);
}

static void sockets(void)
{
    int fd[2], l, c, s;
    char a[8], b[8] = "";
    struct iovec iov = { a, 2 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct address to;

    unix_pair(fd);
    poll_only(fd[0]);
    OK(write(fd[1], "0123456789ab", 12));
    GIVES(ioevent_read(fd[0], b, 2), 2);
    GIVES(ioevent_readv(fd[0], &iov, 1), 2);
    GIVES(ioevent_recv(fd[0], b + 2, 2, 0), 2);
    GIVES(ioevent_recvfrom(fd[0], b + 4, 2, 0, NULL, NULL), 2);
    GIVES(ioevent_recvmsg(fd[0], &msg, MSG_PEEK), 2);
    GIVES(ioevent_recvmsg(fd[0], &msg, 0), 2);
    CHECK(memcmp(b, "014567", 6) == 0 && memcmp(a, "89", 2) == 0);
    GIVES(ioevent_read(fd[0], b, 8), 2);
    GIVES(ioevent_write(fd[0], "ab", 2), 2);
    GIVES(ioevent_writev(fd[0], &iov, 1), 2);
    GIVES(ioevent_send(fd[0], "cd", 2, 0), 2);
    GIVES(ioevent_sendto(fd[0], "ef", 2, 0, NULL, 0), 2);
    GIVES(ioevent_sendmsg(fd[0], &msg, 0), 2);
    SAME(drain(fd[1]), 10);

    /* what would block says so */
    FAILS(ioevent_recv(fd[0], b, 8, MSG_DONTWAIT), EAGAIN);
    set_nonblock(fd[0], true);
    FAILS(ioevent_read(fd[0], b, 8), EAGAIN);
    fill_up(fd[0]);
    FAILS(ioevent_write(fd[0], "x", 1), EAGAIN);
    drain(fd[1]);
    GIVES(ioevent_shutdown(fd[0], SHUT_WR), 0);
    CHECK(sees_end(fd[1]));

    l = listener(AF_UNIX, 1, &to);
    poll_only(l);
    set_nonblock(l, true);
    FAILS(ioevent_accept(l, NULL, NULL), EAGAIN);
    c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    poll_only(c);
    GIVES(ioevent_connect(c, SOCKADDR(&to), to.length), 0);
    s = OK(ioevent_accept4(l, NULL, NULL, SOCK_CLOEXEC));
    FAILS(ioevent_connect(c, SOCKADDR(&to), to.length), EISCONN);
    OK(close(s));
    c = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    l = listener(AF_INET, 1, &to);
    poll_only(c);
    FAILS(ioevent_connect(c, SOCKADDR(&to), to.length), EINPROGRESS);
}

int main(void)
{
    struct ioevent post = { USER(1), 1, 0 };

    p = OK(ioeventpipe(1));
    for (int full = 0; full < 2; full++) {
        if (full)
            GIVES(ioevent_write(p, &post, sizeof post), sizeof post);
        sockets();
        SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), full);
    }
    EXPECT(p, 1, 1, 0);
    STAYS_QUIET(p);
    return 0;
}
