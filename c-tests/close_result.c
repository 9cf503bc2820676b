/*
 * ioevent_close of an attached descriptor closes it for the peer at once, with reads, polls or nothing outstanding:
 * rule 4.3. On sockets, pipes, FIFOs and terminals.
 */
#include "test.h"

static int p;

/* Attach fd, use it, close it: the peer sees the end. */
static void run(int fd, int peer, int outstanding, bool terminal)
{
    char b[8];

    ATTACH(fd, p, 1);
    if (outstanding == 1)
        QUEUED(ioevent_read(fd, b, sizeof b));
    if (outstanding == 2)
        QUEUED(ioevent_poll(fd, 0));
    if (outstanding == 3) {
        QUEUED(ioevent_write(fd, "x", 1));
        EXPECT(p, 1, 1, 0);
        read_all(peer, b, 1);
    }
    QUIET(p);
    GIVES(ioevent_close(fd), 0);
    if (terminal) {
        CHECK(poll(&(struct pollfd){ .fd = peer, .events = POLLIN }, 1, test_timeout() * 500) == 1);
        FAILS(read(peer, b, 1), EIO);
    } else {
        CHECK(sees_end(peer));
    }
    if (outstanding == 1 || outstanding == 2)
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
    for (int i = 0; i < 4; i++) {
        unix_pair(fd);
        run(fd[0], fd[1], i, false);
        CHECK(tcp_pair(AF_INET, fd));
        run(fd[0], fd[1], i, false);
        OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd));
        run(fd[0], fd[1], i, false);
        if (i != 1) {
            OK(pipe(fd));
            run(fd[1], fd[0], i, false);
            fd[0] = OK(open(path, O_RDONLY | O_NONBLOCK));
            set_nonblock(fd[0], false);
            fd[1] = OK(open(path, O_WRONLY));
            run(fd[1], fd[0], i, false);
        }
        fd[0] = posix_openpt(O_RDWR | O_NOCTTY);
        if (fd[0] >= 0 && grantpt(fd[0]) == 0 && unlockpt(fd[0]) == 0
            && (fd[1] = open(ptsname(fd[0]), O_RDWR | O_NOCTTY)) >= 0)
            run(fd[1], fd[0], i, true);
    }
    OK(unlink(path));
    OK(rmdir(dir));
    return 0;
}
