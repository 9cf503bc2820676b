/*
 * The kernel refuses to watch a descriptor that is attached, or to change what it is watched for (ENOSPC, ENOMEM):
 * the attach says so, or the operation does, at once or in its event; what was queued still ends; afterwards all is
 * as ever: rule 2.2, rule 5.4. With IOEVENT_POLLONLY and IOEVENT_INLINE, too.
 */
#include "test_refuse.h"
#include <sys/eventfd.h>

enum { SOCKET, PIPE, EVENTFD, LISTENER, KINDS };
enum { READ, POLL, SUBMIT_POLL, SUBMIT_READ, WAYS };

static char b[16];
static int peer;
static struct address address;

static int make(int kind)
{
    int fd[2];

    switch (kind) {
    case SOCKET: unix_pair(fd); peer = fd[1]; return fd[0];
    case PIPE: OK(pipe2(fd, O_CLOEXEC)); peer = fd[1]; return fd[0];
    case EVENTFD: peer = -1; return OK(eventfd(0, EFD_CLOEXEC));
    default: peer = -1; return listener(AF_INET, 4, &address);
    }
}

static void feed(int kind, int fd)
{
    static const uint64_t one = 1;

    if (kind == LISTENER) {
        peer = OK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        OK(connect(peer, SOCKADDR(&address), address.length));
    } else {
        SAME(write(kind == EVENTFD ? fd : peer, &one, 8), 8);
    }
}

static ssize_t queue(int kind, int way, int fd)
{
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_POLL, .ioo_fd = fd, .ioo_user = USER(1), .ioo_arg = POLLIN };

    switch (way) {
    case READ: return kind == LISTENER ? ioevent_accept(fd, NULL, NULL) : ioevent_read(fd, b, sizeof b);
    case POLL: return ioevent_poll(fd, POLLIN);
    case SUBMIT_READ:
        op.ioo_kind = kind == LISTENER ? IOEVENT_OP_ACCEPT : IOEVENT_OP_READ;
        op.ioo_buf = b;
        op.ioo_len = sizeof b; /* fall through */
    default:
        if (ioevent_submit(&op, 1) == 1)
            errno = EIOEVENTQUEUED;
        return -1;
    }
}

/* The poll that was there before: if it is ended by the refusal, its event says so. */
enum { OTHER = 7 };

static bool is_other(struct ioevent e, int err)
{
    if (e.ioe_user != USER(OTHER))
        return false;
    SAME(e.ioe_result, -1);
    SAME(e.ioe_errno, err);
    return true;
}

/* The event says that it worked. */
static void worked(int p, int kind, int way)
{
    struct ioevent e = HARVEST(p);

    CHECK(e.ioe_user == USER(1));
    SAME(e.ioe_errno, 0);
    CHECK(e.ioe_result > 0);
    if (kind == LISTENER && (way == READ || way == SUBMIT_READ))
        OK(close(e.ioe_result));
}

static void run(int kind, int way, int flags, int op, int err, bool harvest)
{
    int p = OK(ioeventpipe(8)), fd = make(kind), r;
    struct timespec t = { 0, 40000000 };
    struct ioevent e;

    if (op == EPOLL_CTL_MOD) { /* something is watched for already */
        ATTACH(fd, p, OTHER);
        GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, flags), 0);
        QUEUED(ioevent_poll(fd, 0));
        STAYS_QUIET(p);
    }
    refuse(op, err);
    r = ioevent_fcntl(fd, F_SETIOEVENTPIPE, p, USER(1));
    if (r == -1) {
        SAME(errno, err);
        if (op == EPOLL_CTL_ADD)
            ATTACHED(fd, -1, 0);
        FAILS(ioevent_fcntl(fd, F_SETIOEVENTPIPE, p, USER(1)), err); /* and again */
    } else {
        if (op == EPOLL_CTL_ADD)
            GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, flags), 0);
        SAME(queue(kind, way, fd), -1);
        if (errno != EIOEVENTQUEUED) {
            SAME(errno, err);
        } else {
            int n = harvest ? ioevent_wait(p, &e, 1, &t) : 0;

            if (!harvest)
                for (int ms = 0; ms < 40; ms++)
                    breathe();
            if (n == 1 && is_other(e, err))
                n = ioevent_wait(p, &e, 1, &t);
            if (n == 0) {
                feed(kind, fd);
                do
                    e = HARVEST(p);
                while (is_other(e, err));
            }
            CHECK(e.ioe_user == USER(1));
            if (e.ioe_result == -1)
                SAME(e.ioe_errno, err);
            else
                SAME(e.ioe_errno, 0);
            if (kind == LISTENER && e.ioe_result != -1 && (way == READ || way == SUBMIT_READ))
                OK(close(e.ioe_result));
        }
    }
    refuse(0, 0);
    (void)ioevent_cancel(fd);
    while (ioevent_wait(p, &e, 1, &no_wait) == 1) {}
    while (poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0) == 1)
        if (kind == LISTENER)
            OK(close(OK(accept(fd, NULL, NULL))));
        else
            OK(read(fd, b, sizeof b));

    /* it is allowed again */
    ATTACH(fd, p, 1);
    GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, flags), 0);
    for (int i = 0; i < 2; i++) {
        QUEUED(queue(kind, way, fd));
        QUIET(p);
        if (peer >= 0 && kind == LISTENER)
            OK(close(peer));
        feed(kind, fd);
        worked(p, kind, way);
        if (way == POLL || way == SUBMIT_POLL) {
            if (kind == LISTENER)
                OK(close(OK(accept(fd, NULL, NULL))));
            else
                OK(read(fd, b, sizeof b));
        }
    }
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd), 0);
    if (peer >= 0)
        OK(close(peer));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    refuse_start();
    for (int kind = 0; kind < KINDS; kind++)
        for (int way = 0; way < WAYS; way++) {
            run(kind, way, 0, EPOLL_CTL_ADD, ENOSPC, true);
            run(kind, way, 0, EPOLL_CTL_ADD, ENOMEM, false);
            run(kind, way, IOEVENT_INLINE, EPOLL_CTL_ADD, ENOSPC, true);
            if (way != READ)
                run(kind, way, IOEVENT_POLLONLY, EPOLL_CTL_ADD, ENOSPC, way == POLL);
            run(kind, way, 0, EPOLL_CTL_MOD, ENOSPC, true);
            run(kind, way, 0, EPOLL_CTL_MOD, ENOMEM, false);
        }
    return 0;
}
