/*
 * What each kind counts as for ioevent_cancel2: accept, and a splice that belongs to its source, are IN; connect,
 * shutdown, fsync, and splice and sendfile into the descriptor, are OUT; waitid is POLL: rule 4.7.
 */
#include "test.h"

static int p;

/* What waits on the descriptor belongs to this direction and to no other. */
static void belongs(int fd, int direction, int n)
{
    QUIET(p);
    GIVES(ioevent_cancel2(fd, IOEVENT_CANCEL_ALL & ~direction, NULL), 0);
    QUIET(p);
    GIVES(ioevent_cancel2(fd, direction, NULL), n);
    for (int i = 0; i < n; i++)
        EXPECT(p, fd, -1, ECANCELED);
    QUIET(p);
}

static void sockets(void)
{
    struct address a;
    int l = listener(AF_UNIX, 0, &a), c, s[2], q[2], r[2], f = fileno(tmpfile()), n = 0;
    size_t full;
    char b[10];

    ATTACH(l, p, l);
    QUEUED(ioevent_accept(l, NULL, NULL));
    QUEUED(ioevent_accept4(l, NULL, NULL, SOCK_NONBLOCK));
    belongs(l, IOEVENT_CANCEL_IN, 2);
    do { /* until its queue is full */
        c = OK(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    } while (connect(c, SOCKADDR(&a), a.length) == 0);
    ATTACH(c, p, c);
    QUEUED(ioevent_connect(c, SOCKADDR(&a), a.length));
    belongs(c, IOEVENT_CANCEL_OUT, 1);

    CHECK(stream_pair(fillable(), s));
    OK(pipe(q));
    OK(pipe(r));
    GIVES(pwrite(f, "file", 4, 0), 4);
    ATTACH(q[0], p, q[0]);
    QUEUED(ioevent_splice(q[0], NULL, r[1], NULL, 8, 0)); /* the source's */
    belongs(q[0], IOEVENT_CANCEL_IN, 1);
    ATTACH(s[0], p, s[0]);
    QUEUED(ioevent_splice(q[0], NULL, s[0], NULL, 8, 0)); /* the destination's */
    GIVES(ioevent_cancel(q[0]), 0);
    belongs(s[0], IOEVENT_CANCEL_OUT, 1);
    full = fill_up_for_good(s[0]);
    QUEUED(ioevent_sendfile(s[0], f, NULL, 4));
    QUEUED(ioevent_write(s[0], "x", 1));
    QUEUED(ioevent_shutdown(s[0], SHUT_WR)); /* after the writes */
    /* fsync of a socket is an error; if it waits for its turn, it is a write too */
    if (ioevent_fsync(s[0]) == -1 && errno == EIOEVENTQUEUED) {
        struct ioevent e;

        if (ioevent_wait(p, &e, 1, &no_wait) == 1)
            SAME(e.ioe_errno, EINVAL);
        else
            n = 1;
    } else {
        SAME(errno, EINVAL);
    }
    belongs(s[0], IOEVENT_CANCEL_OUT, 3 + n);
    skip(s[1], full);
    OK(write(s[0], "still open", 10));
    read_all(s[1], b, 10);
    CHECK(memcmp(b, "still open", 10) == 0);
    SAME(drain(s[1]), 0);
    CHECK(tcp_pair(AF_INET, s));
    ATTACH(s[0], p, s[0]);
    QUEUED(ioevent_recv(s[0], b, 1, MSG_WAITALL));
    belongs(s[0], IOEVENT_CANCEL_IN, 1);

    /* an fsync that has something to do is neither read nor poll */
    ATTACH(f, p, f);
    QUEUED(ioevent_fsync(f));
    GIVES(ioevent_cancel2(f, IOEVENT_CANCEL_IN | IOEVENT_CANCEL_POLL, NULL), 0);
    EXPECT(p, f, 0, 0);
}

static void children(void)
{
    siginfo_t info = { 0 };
    pid_t pid;
    int pidfd;

    if (child(&pid))
        for (;;)
            pause();
    pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd == -1)
        return; /* not here */
    ATTACH(pidfd, p, pidfd);
    QUEUED(ioevent_waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED));
    QUEUED(ioevent_poll(pidfd, POLLIN));
    belongs(pidfd, IOEVENT_CANCEL_POLL, 2);
    SAME(info.si_pid, 0);
    OK(kill(pid, SIGKILL));
    OK(waitid(P_PID, (id_t)pid, &info, WEXITED)); /* nobody took it */
}

int main(void)
{
    p = OK(ioeventpipe(8));
    sockets();
    children();
    STAYS_QUIET(p);
    return 0;
}
