/*
 * A write to a peer that is gone gives EPIPE and no SIGPIPE, on sockets and on pipes, and a SIGPIPE that was pending
 * before stays pending: rule 2.4, rule 5.5.
 */
#include "test.h"

static int p;

static void run(int fd)
{
    struct iovec iov = { "ab", 2 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    ATTACH(fd, p, 1);
    QUEUED(ioevent_write(fd, "x", 1));
    EXPECT(p, 1, -1, EPIPE);
    QUEUED(ioevent_writev(fd, &iov, 1));
    EXPECT(p, 1, -1, EPIPE);
    if (send(fd, "", 0, MSG_NOSIGNAL) == -1 && errno == ENOTSOCK)
        return;
    QUEUED(ioevent_send(fd, "x", 1, 0));
    EXPECT(p, 1, -1, EPIPE);
    QUEUED(ioevent_sendto(fd, "x", 1, 0, NULL, 0));
    EXPECT(p, 1, -1, EPIPE);
    QUEUED(ioevent_sendmsg(fd, &msg, 0));
    EXPECT(p, 1, -1, EPIPE);
}

/* The peer goes while the write waits. */
static void waiting(int which)
{
    int fd[2];

    if (!stream_pair(which, fd))
        return;
    fill_up(fd[1]);
    ATTACH(fd[1], p, 1);
    QUEUED(ioevent_write(fd[1], "x", 1));
    QUIET(p);
    OK(close(fd[0]));
    {
        struct ioevent e = HARVEST(p);

        SAME(e.ioe_result, -1);
        CHECK(e.ioe_errno == EPIPE || e.ioe_errno == ECONNRESET);
    }
    GIVES(ioevent_close(fd[1]), 0);
}

static void all(void)
{
    int fd[2];

    unix_pair(fd);
    OK(close(fd[0]));
    run(fd[1]);
    OK(pipe(fd));
    OK(close(fd[0]));
    run(fd[1]);
    CHECK(tcp_pair(AF_INET, fd));
    OK(shutdown(fd[1], SHUT_WR));
    run(fd[1]);
    waiting(STREAM_UNIX);
    waiting(STREAM_PIPE);
}

int main(void)
{
    sigset_t set, pending;

    /* the default action of SIGPIPE would end this process */
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    p = OK(ioeventpipe(8));
    all();

    /* none is left pending behind */
    ZERO(pthread_sigmask(SIG_BLOCK, &set, NULL));
    all();
    OK(sigpending(&pending));
    SAME(sigismember(&pending, SIGPIPE), 0);

    /* one that was pending is not taken away */
    raise(SIGPIPE);
    all();
    OK(sigpending(&pending));
    SAME(sigismember(&pending, SIGPIPE), 1);
    return 0;
}
