/*
 * With IOEVENT_INLINE, a stream write or MSG_WAITALL that only partly fits: with the pipe full the call returns the
 * part; with a place free it is queued, and one event gives the total: rule 2.8.
 */
#include "test.h"

enum { SIZE = 4 << 20 };

static unsigned char out[SIZE], in[SIZE];
static int p;
static const struct ioevent post = { USER(1), 1, 0 };

static void in_line(int fd)
{
    ATTACH(fd, p, 2);
    GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
}

static ssize_t call(int how, int fd, struct iovec *iov)
{
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 3 };

    switch (how) {
    case 0:
        return ioevent_write(fd, out, SIZE);
    case 1:
        return ioevent_writev(fd, iov, 3);
    case 2:
        return ioevent_send(fd, out, SIZE, 0);
    default:
        return ioevent_sendmsg(fd, &msg, 0);
    }
}

/* Buffers that do not grow, so that a large write never fits. */
static void small_buffers(const int *fd)
{
    int n = 100000;

    for (int i = 0; i < 2; i++) {
        setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &n, sizeof n);
        setsockopt(fd[i], SOL_SOCKET, SO_RCVBUF, &n, sizeof n);
    }
}

static void writes(int which, int how)
{
    int fd[2];
    struct iovec iov[3] = { { out, 5 }, { out + 5, SIZE / 2 }, { out + 5 + SIZE / 2, SIZE / 2 - 5 } };
    ssize_t n;

    if (!stream_pair(which, fd))
        return;
    small_buffers(fd);
    in_line(fd[1]);
    GIVES(ioevent_write(p, &post, sizeof post), sizeof post); /* full */
    n = OK(call(how, fd[1], iov));
    CHECK(n > 0 && n < SIZE);
    read_all(fd[0], in, (size_t)n);
    CHECK(memcmp(in, out, (size_t)n) == 0);
    EXPECT(p, 1, 1, 0);
    STAYS_QUIET(p);
    SAME(drain(fd[0]), 0);

    if (how == 3) /* the msghdr would have to stay */
        how = 1;
    QUEUED(call(how, fd[1], iov)); /* a place is free */
    QUIET(p);
    read_all(fd[0], in, SIZE);
    CHECK(memcmp(in, out, SIZE) == 0);
    EXPECT(p, 2, SIZE, 0);
    STAYS_QUIET(p);
    SAME(drain(fd[0]), 0);
    GIVES(ioevent_close(fd[1]), 0);
    OK(close(fd[0]));
}

static void reads(int family)
{
    int fd[2];
    char b[16] = "";

    if (!tcp_pair(family, fd))
        return;
    in_line(fd[0]);
    GIVES(ioevent_write(p, &post, sizeof post), sizeof post);
    OK(write(fd[1], "abcd", 4));
    GIVES(poll(&(struct pollfd){ .fd = fd[0], .events = POLLIN }, 1, -1), 1);
    GIVES(ioevent_recv(fd[0], b, 10, MSG_WAITALL), 4); /* full: the part */
    CHECK(memcmp(b, "abcd", 4) == 0);
    FAILS(ioevent_recv(fd[0], b, 10, MSG_WAITALL), EIOEVENTFULL);
    EXPECT(p, 1, 1, 0);
    OK(write(fd[1], "efgh", 4));
    QUEUED(ioevent_recv(fd[0], b, 10, MSG_WAITALL));
    QUIET(p);
    OK(write(fd[1], "ijklmnop", 8));
    EXPECT(p, 2, 10, 0); /* the total */
    CHECK(memcmp(b, "efghijklmn", 10) == 0);
    GIVES(ioevent_recv(fd[0], b, 2, MSG_WAITALL), 2);
    CHECK(memcmp(b, "op", 2) == 0);
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
}

int main(void)
{
    p = OK(ioeventpipe(1));
    put_pattern(out, 0, SIZE);
    writes(STREAM_TCP4, 0);
    writes(STREAM_TCP6, 2);
    for (int how = 0; how < 4; how++)
        writes(STREAM_UNIX, how);
    writes(STREAM_PIPE, 0);
    writes(STREAM_PIPE, 1);
    reads(AF_UNIX);
    reads(AF_INET);
    return 0;
}
