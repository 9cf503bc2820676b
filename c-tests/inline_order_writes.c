/*
 * With IOEVENT_INLINE a write, or a shutdown, does not overtake a write that waits, though there is room: it is queued
 * behind it. A read is finished directly meanwhile: rule 2.8, rule 2.5.
 */
#include "test.h"

enum { SIZE = 4 << 20 };

static char out[SIZE], in[SIZE];
static int p;

static void in_line(int fd)
{
    ATTACH(fd, p, fd);
    GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
}

static void arrived(int fd)
{
    GIVES(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, -1), 1);
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

static void writes(int which)
{
    int fd[2];
    char b[8];

    if (!stream_pair(which, fd))
        return;
    small_buffers(fd);
    in_line(fd[1]);
    QUEUED(ioevent_write(fd[1], out, SIZE));
    read_all(fd[0], in, 100000); /* there is room again, or will be soon */
    QUEUED(ioevent_write(fd[1], "abc", 3));
    if (which != STREAM_PIPE) {
        OK(write(fd[0], "xyz", 3));
        arrived(fd[1]);
        GIVES(ioevent_read(fd[1], b, 8), 3); /* a read passes it */
        CHECK(memcmp(b, "xyz", 3) == 0);
        QUEUED(ioevent_shutdown(fd[1], SHUT_WR)); /* is a write in this */
    }
    QUEUED(ioevent_poll(fd[1], 0)); /* nothing to tell */
    GIVES(ioevent_cancel2(fd[1], IOEVENT_CANCEL_POLL, NULL), 1);
    EXPECT(p, fd[1], -1, ECANCELED);
    QUIET(p);
    read_all(fd[0], in, SIZE - 100000);
    EXPECT(p, fd[1], SIZE, 0);
    EXPECT(p, fd[1], 3, 0);
    read_all(fd[0], in, 3);
    CHECK(memcmp(in, "abc", 3) == 0);
    if (which != STREAM_PIPE)
        EXPECT(p, fd[1], 0, 0);
    GIVES(ioevent_close(fd[1]), 0);
    CHECK(sees_end(fd[0]));
    OK(close(fd[0]));
}

int main(void)
{
    p = OK(ioeventpipe(8));
    for (int which = 0; which < STREAMS; which++)
        writes(which);
    STAYS_QUIET(p);
    return 0;
}
