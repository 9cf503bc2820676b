/*
 * While nothing, or nothing but polls, is outstanding on a descriptor the library holds no reference of its own to
 * the open file: a plain close(2) takes effect at once, the peer sees it: rule 4.4. On sockets, pipes and FIFOs.
 */
#include "test.h"

static int p;

static void run(int fd, int peer, int what)
{
    char b[8];
    int n;

    ATTACH(fd, p, 1);
    if (what == 1) { /* something was done, and is over */
        QUEUED(ioevent_write(fd, "x", 1));
        EXPECT(p, 1, 1, 0);
        read_all(peer, b, 1);
    }
    if (what == 2) /* only a poll */
        QUEUED(ioevent_poll(fd, 0));
    if (what == 3) { /* a large write was cancelled */
        static char out[32 << 20];

        QUEUED(ioevent_write(fd, out, sizeof out));
        QUIET(p);
        GIVES(ioevent_cancel(fd), 1);
        CHECK(HARVEST(p).ioe_result > 0);
    }
    QUIET(p);
    OK(close(fd));
    if (what == 3)
        drain(peer);
    for (;;) { /* a TCP peer may still have some on the way */
        CHECK(poll(&(struct pollfd){ .fd = peer, .events = POLLIN }, 1, test_timeout() * 500) == 1);
        n = (int)OK(read(peer, b, sizeof b));
        if (n == 0)
            break;
        SAME(what, 3);
    }
    /* the library notices now, at the latest */
    FAILS(ioevent_fcntl(fd, F_GETIOEVENTPIPE, &n, &(void *){ NULL }), EBADF);
    if (what == 2)
        EXPECT(p, 1, -1, ECANCELED);
    QUIET(p);
    OK(close(peer));
}

int main(void)
{
    int fd[2];
    char dir[] = "/tmp/ioevent-test-XXXXXX", path[64];

    p = OK(ioeventpipe(4));
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/fifo", dir);
    OK(mkfifo(path, 0600));
    for (int what = 0; what < 4; what++) {
        unix_pair(fd);
        run(fd[0], fd[1], what);
        CHECK(tcp_pair(AF_INET, fd));
        run(fd[0], fd[1], what);
        OK(pipe(fd));
        run(fd[1], fd[0], what);
        fd[0] = OK(open(path, O_RDONLY | O_NONBLOCK));
        set_nonblock(fd[0], false);
        fd[1] = OK(open(path, O_WRONLY));
        run(fd[1], fd[0], what);
    }
    OK(unlink(path));
    OK(rmdir(dir));
    return 0;
}
