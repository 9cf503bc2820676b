/*
 * With IOEVENT_INLINE errors that are known at once come directly, without an event and without SIGPIPE: rule 2.8,
 * rule 2.4, rule 2.6. What would block is no error: EAGAIN is never given.
 */
#include "test.h"

static int p;

static void in_line(int fd)
{
    ATTACH(fd, p, fd);
    GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
}

/* Nobody reads what is written there. */
static void broken(int fd, bool is_socket)
{
    struct iovec iov = { "x", 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    in_line(fd);
    FAILS(ioevent_write(fd, "x", 1), EPIPE);
    FAILS(ioevent_writev(fd, &iov, 1), EPIPE);
    if (is_socket) {
        FAILS(ioevent_send(fd, "x", 1, 0), EPIPE);
        FAILS(ioevent_sendto(fd, "x", 1, 0, NULL, 0), EPIPE);
        FAILS(ioevent_sendmsg(fd, &msg, 0), EPIPE);
    }
    GIVES(ioevent_close(fd), 0);
}

static void all(void)
{
    int fd[2], c;
    struct address a;
    char b[8], *large = calloc(1, 1 << 20);

    /* the peer is gone */
    unix_pair(fd);
    OK(close(fd[1]));
    broken(fd[0], true);
    OK(pipe(fd));
    OK(close(fd[0]));
    broken(fd[1], false);
    CHECK(tcp_pair(AF_INET, fd));
    OK(shutdown(fd[0], SHUT_WR));
    broken(fd[0], true);
    OK(close(fd[1]));
    unix_pair(fd);
    OK(write(fd[0], "unread", 6));
    OK(close(fd[1]));
    in_line(fd[0]);
    FAILS(ioevent_read(fd[0], b, 8), ECONNRESET);
    GIVES(ioevent_read(fd[0], b, 8), 0);
    GIVES(ioevent_close(fd[0]), 0);

    /* nobody listens */
    c = listener(AF_UNIX, 1, &a);
    OK(close(c));
    c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    in_line(c);
    FAILS(ioevent_connect(c, SOCKADDR(&a), a.length), ECONNREFUSED);
    FAILS(ioevent_send(c, "x", 1, 0), ENOTCONN);
    GIVES(ioevent_close(c), 0);
    c = OK(socket(AF_INET, SOCK_STREAM, 0));
    in_line(c);
    FAILS(ioevent_recv(c, b, 8, 0), ENOTCONN);
    FAILS(ioevent_accept(c, NULL, NULL), EINVAL);
    GIVES(ioevent_close(c), 0);

    /* a datagram that is too long, one for nobody */
    c = bound_socket(AF_INET, SOCK_DGRAM, &a);
    in_line(c);
    FAILS(ioevent_sendto(c, large, 1 << 20, 0, SOCKADDR(&a), a.length), EMSGSIZE);
    FAILS(ioevent_send(c, "x", 1, 0), EDESTADDRREQ);
    if (!on_valgrind()) {
        GIVES(sendto(c, "abc", 3, 0, SOCKADDR(&a), a.length), 3);
        GIVES(poll(&(struct pollfd){ .fd = c, .events = POLLIN }, 1, -1), 1);
        FAILS(ioevent_recv(c, bad_memory(), 3, 0), EFAULT);
    }
    GIVES(ioevent_close(c), 0);
    free(large);
    QUIET(p);
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
}

int main(void)
{
    int fd[2];
    char b[8];
    sigset_t set, pending;

    signal(SIGPIPE, SIG_DFL); /* it would end this process */
    p = OK(ioeventpipe(4));
    all();
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    ZERO(pthread_sigmask(SIG_BLOCK, &set, NULL));
    all();
    OK(sigpending(&pending));
    SAME(sigismember(&pending, SIGPIPE), 0);

    for (int nonblock = 0; nonblock < 2; nonblock++) {
        unix_pair(fd);
        set_nonblock(fd[0], nonblock);
        in_line(fd[0]);
        QUEUED(ioevent_read(fd[0], b, 8));
        QUEUED(ioevent_recv(fd[0], b, 8, MSG_DONTWAIT));
        OK(close(fd[1]));
        EXPECT(p, fd[0], 0, 0);
        EXPECT(p, fd[0], 0, 0);
        GIVES(ioevent_close(fd[0]), 0);
    }
    STAYS_QUIET(p);
    return 0;
}
