/*
 * Arguments that the kernel would refuse without doing I/O are reported at once or in the event, never both:
 * rule 2.6. Each error is the one that the same call gives on a descriptor that is not attached.
 */
#include "test.h"

static int p;

/* fd is attached, its twin is not: both refuse the same. */
#define REFUSED(call, fd, twin)                                                 \
    do {                                                                        \
        int e_, s_ = fd;                                                        \
        TEST_HERE(#call);                                                       \
        fd = twin;                                                              \
        errno = 0;                                                              \
        if ((call) != -1)                                                       \
            test_fail(&test_place_, errno, "libc's call did not fail");         \
        e_ = errno;                                                             \
        fd = s_;                                                                \
        CHECK(e_ != EAGAIN);                                                    \
        EITHER(call, p, fd, e_);                                                \
    } while (0)

static struct iovec too_many[5000];

static void sockets(int s, int twin)
{
    char b[8] = "";
    struct iovec iov = { b, 8 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    volatile int few = -1, many = 5000;

    ATTACH(s, p, s);
    if (!on_valgrind()) /* which takes a negative count for a large one */
        REFUSED(ioevent_readv(s, &iov, few), s, twin);
    REFUSED(ioevent_readv(s, too_many, many), s, twin);
    REFUSED(ioevent_writev(s, &iov, few), s, twin);
    REFUSED(ioevent_writev(s, too_many, many), s, twin);
    REFUSED(ioevent_accept(s, NULL, NULL), s, twin);
    REFUSED(ioevent_accept4(s, NULL, NULL, 0), s, twin);
    REFUSED(ioevent_accept4(s, NULL, NULL, 12345), s, twin);
    REFUSED(ioevent_connect(s, (struct sockaddr *)&in, 1), s, twin);
    msg.msg_iov = too_many;
    msg.msg_iovlen = 5000;
    REFUSED(ioevent_sendmsg(s, &msg, 0), s, twin);
    REFUSED(ioevent_recvmsg(s, &msg, 0), s, twin);
}

int main(void)
{
    int fd[2], a, b, c, d;
    char x[8] = "";
    struct address to = { .length = 0 };
    struct iovec iov = { x, 8 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    static char large[70000];

    p = OK(ioeventpipe(8));
    signal(SIGPIPE, SIG_IGN); /* for libc's calls */

    /* not sockets, and the wrong end of a pipe */
    OK(pipe(fd));
    a = fd[0];
    b = fd[1];
    c = OK(dup(a));
    d = OK(dup(b));
    ATTACH(a, p, a);
    ATTACH(b, p, b);
    REFUSED(ioevent_recv(a, x, 8, 0), a, c);
    REFUSED(ioevent_recvfrom(a, x, 8, 0, NULL, NULL), a, c);
    REFUSED(ioevent_recvmsg(a, &msg, 0), a, c);
    REFUSED(ioevent_send(b, x, 8, 0), b, d);
    REFUSED(ioevent_sendto(b, x, 8, 0, NULL, 0), b, d);
    REFUSED(ioevent_sendmsg(b, &msg, 0), b, d);
    REFUSED(ioevent_accept(a, NULL, NULL), a, c);
    REFUSED(ioevent_connect(b, SOCKADDR(&to), 16), b, d);
    REFUSED(ioevent_write(a, x, 8), a, c);
    REFUSED(ioevent_writev(a, &iov, 1), a, c);
    REFUSED(ioevent_read(b, x, 8), b, d);
    REFUSED(ioevent_readv(b, &iov, 1), b, d);

    /* sockets that are not connected */
    a = OK(socket(AF_INET, SOCK_STREAM, 0));
    c = OK(socket(AF_INET, SOCK_STREAM, 0));
    sockets(a, c);
    REFUSED(ioevent_read(a, x, 8), a, c);
    REFUSED(ioevent_recvmsg(a, &msg, 0), a, c);
    REFUSED(ioevent_write(a, x, 8), a, c);
    REFUSED(ioevent_send(a, x, 8, 0), a, c);
    a = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    sockets(a, c);
    REFUSED(ioevent_read(a, x, 8), a, c);
    REFUSED(ioevent_write(a, x, 8), a, c);

    /* connected ones, and a listener */
    unix_pair(fd);
    c = OK(dup(fd[0]));
    sockets(fd[0], c);
    a = listener(AF_INET, 1, &to);
    c = OK(dup(a));
    ATTACH(a, p, a);
    REFUSED(ioevent_read(a, x, 8), a, c);
    REFUSED(ioevent_write(a, x, 8), a, c);
    REFUSED(ioevent_connect(a, SOCKADDR(&to), to.length), a, c);

    /* a datagram that is too long, and one without an address */
    a = bound_socket(AF_INET, SOCK_DGRAM, &to);
    c = OK(dup(a));
    ATTACH(a, p, a);
    REFUSED(ioevent_sendto(a, large, sizeof large, 0, SOCKADDR(&to), to.length), a, c);
    REFUSED(ioevent_send(a, x, 8, 0), a, c);
    STAYS_QUIET(p);
    return 0;
}
