/*
 * Attached descriptors and pipes, by the functions that libioevent.so has no name for (rule 2.8, rule 4.4): what has no
 * asynchronous form fails, unless only polls are asynchronous; the others become those that it has.
 */
#undef _FORTIFY_SOURCE
#define _FORTIFY_SOURCE 2
#include "check.h"

#include <dlfcn.h>
#include <ioevent.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static int p;
static char b[16];
static struct iovec iov = { b, 4 };
static struct mmsghdr mmsg = { { .msg_iov = &iov, .msg_iovlen = 1 }, 0 };

#define QUEUED(call) FAILS(call, EIOEVENTQUEUED)

static void attach(int fd)
{
    GIVES(fcntl(fd, F_SETIOEVENTPIPE, p, (void *)0), 0);
}

/* The next event says this. */
static void event(int result, int error)
{
    struct ioevent ev;

    GIVES(read(p, &ev, sizeof ev), (int)sizeof ev);
    GIVES(ev.ioe_result, result);
    GIVES(ev.ioe_errno, error);
}

static void no_form(void)
{
    int s[2], q[2], r[2];

    GIVES(socketpair(AF_UNIX, SOCK_DGRAM, 0, s), 0);
    GIVES(pipe(q), 0);
    GIVES(pipe(r), 0);
    GIVES(write(q[1], "abcdefgh", 8), 8);
    attach(s[0]);
    FAILS(sendmmsg(s[0], &mmsg, 1, 0), EOPNOTSUPP);
    FAILS(recvmmsg(s[0], &mmsg, 1, MSG_DONTWAIT, NULL), EOPNOTSUPP);
    GIVES(fcntl(s[0], F_SETIOEVENTFLAGS, IOEVENT_POLLONLY), 0);
    GIVES(sendmmsg(s[0], &mmsg, 1, 0), 1);
    GIVES(recvmmsg(s[1], &mmsg, 1, 0, NULL), 1);
    FAILS(recvmmsg(s[0], &mmsg, 1, MSG_DONTWAIT, NULL), EAGAIN);
    attach(r[1]);
    FAILS(tee(q[0], r[1], 4, 0), EOPNOTSUPP);
    FAILS(vmsplice(r[1], &iov, 1, 0), EOPNOTSUPP);
    GIVES(fcntl(r[1], F_SETIOEVENTFLAGS, IOEVENT_POLLONLY), 0);
    GIVES(tee(q[0], r[1], 4, 0), 4);
    GIVES(vmsplice(r[1], &iov, 1, 0), 4);
    GIVES(fcntl(r[1], F_SETIOEVENTPIPE, -1, (void *)0), 0);
    attach(q[0]);
    FAILS(tee(q[0], r[1], 4, 0), EOPNOTSUPP);
    /* Numbers of a pipe. */
    FAILS(recvmmsg(p, &mmsg, 1, MSG_DONTWAIT, NULL), ENOTSOCK);
    FAILS(sendmmsg(p, &mmsg, 1, 0), ENOTSOCK);
    FAILS(tee(p, r[1], 4, 0), EINVAL);
    GIVES(close_range((unsigned)s[0], (unsigned)r[1], 0), 0);
}

static void vectors(void)
{
    char path[] = "/tmp/attached.XXXXXX";
    struct ioevent ev = { 0 };
    struct iovec room = { &ev, sizeof ev };
    int file = OK(mkstemp(path));

    unlink(path);
    attach(file);
    memcpy(b, "0123", 4);
    QUEUED(pwritev2(file, &iov, 1, 4, 0));
    event(4, 0);
    QUEUED(pwritev64v2(file, &iov, 1, -1, 0));
    event(4, 0);
    FAILS(pwritev2(file, &iov, 1, 0, RWF_DSYNC), EOPNOTSUPP);
    memset(b, 0, sizeof b);
    QUEUED(preadv2(file, &iov, 1, 5, 0));
    event(3, 0);
    CHECK(memcmp(b, "123", 4) == 0);
    QUEUED(preadv64v2(file, &iov, 1, -1, 0));
    event(4, 0);
    FAILS(preadv2(file, &iov, 1, -1, RWF_NOWAIT), EOPNOTSUPP);
    GIVES(fcntl(file, F_SETIOEVENTFLAGS, IOEVENT_POLLONLY), 0);
    GIVES(preadv2(file, &iov, 1, 4, RWF_HIPRI), 4);
    /* A pipe is harvested. */
    GIVES(fcntl(file, F_SETIOEVENTFLAGS, 0), 0);
    QUEUED(pread(file, b, 2, 0));
    GIVES(preadv2(p, &room, 1, -1, 0), (int)sizeof ev);
    GIVES(ev.ioe_result, 2);
    GIVES(close(file), 0);
}

static void eventfds(void)
{
    int e = OK(eventfd(7, 0));
    eventfd_t value = 0;

    attach(e);
    QUEUED(eventfd_read(e, &value));
    event(8, 0);
    GIVES(value, 7);
    QUEUED(eventfd_write(e, 5));
    event(8, 0);
    QUEUED(eventfd_write(e, 0));
    event(8, 0);
    GIVES(fcntl(e, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    GIVES(eventfd_read(e, &value), 0);
    GIVES(value, 5);
    GIVES(eventfd_write(e, 0xfffffffffffffffe), 0);
    GIVES(fcntl(e, F_SETIOEVENTFLAGS, 0), 0);
    /* These wait until there is room; what they write is not in a frame that is gone by then. */
    QUEUED(eventfd_write(e, 40));
    QUEUED(eventfd_write(e, 2));
    memset(b, 0, sizeof b);
    {
        struct iovec whole = { &value, sizeof value };

        GIVES(fcntl(e, F_SETFL, O_NONBLOCK), 0);
        GIVES(syscall(SYS_readv, e, &whole, 1), 8);
        CHECK(value == 0xfffffffffffffffe);
    }
    event(8, 0);
    event(8, 0);
    GIVES(syscall(SYS_read, e, &value, 8), 8);
    GIVES(value, 42);
    GIVES(fcntl(e, F_SETIOEVENTFLAGS, IOEVENT_POLLONLY), 0);
    FAILS(eventfd_read(e, &value), EAGAIN);
    GIVES(eventfd_write(e, 1), 0);
    FAILS(eventfd_read(p, &value), EINVAL);
    GIVES(close(e), 0);
}

static void fortified(void)
{
    volatile size_t three = 3;
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    int s[2];

    GIVES(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    attach(s[0]);
    memset(b, 0, sizeof b);
    QUEUED(read(s[0], b, three));
    QUEUED(recv(s[0], b + 3, three, 0));
    QUEUED(recvfrom(s[0], b + 6, three, 0, (struct sockaddr *)&from, &length));
    GIVES(write(s[1], "012345678", 9), 9);
    for (int i = 0; i < 3; i++)
        event(3, 0);
    CHECK(memcmp(b, "012345678", 10) == 0);
    GIVES(close(s[0]), 0);
    GIVES(close(s[1]), 0);
}

static void ranges(void)
{
    int s[2], other = OK(ioeventpipe(4));
    struct ioevent ev;
    pid_t child;

    GIVES(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    attach(s[0]);
    QUEUED(read(s[0], b, 1));
    /* Of a vfork child only the descriptors are its own. */
    child = vfork();
    if (child == 0) {
        if (close_range(3, ~0U, 0) != 0 || fcntl(s[0], F_GETFD) != -1)
            _exit(1);
        closefrom(3);
        _exit(0);
    }
    GIVES(child_status(child), 0);
    child = OK(fork());
    if (child == 0) {
        closefrom(3);
        _exit(io_works() ? 0 : 1);
    }
    GIVES(child_status(child), 0);
    GIVES(write(s[1], "x", 1), 1);
    event(1, 0);
    /* Marked, it is still attached. */
    QUEUED(read(s[0], b, 1));
    GIVES(close_range((unsigned)s[0], (unsigned)s[0], CLOSE_RANGE_CLOEXEC), 0);
    GIVES(write(s[1], "x", 1), 1);
    event(1, 0);
    QUEUED(read(s[0], b, 1));
    GIVES(close_range((unsigned)s[0], (unsigned)s[0], 0), 0);
    event(-1, ECANCELED);
    FAILS(fcntl(s[0], F_GETFD), EBADF);
    GIVES(read(s[1], b, 1), 0);
    GIVES(close(s[1]), 0);
    GIVES(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    GIVES(dup2(s[0], 100), 100);
    attach(100);
    QUEUED(read(100, b, 1));
    closefrom(100);
    event(-1, ECANCELED);
    closefrom(other);
    FAILS(read(other, &ev, sizeof ev), EBADF);
}

int attached_early(void);

int main(void)
{
    int (*active)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "ioevent_posix_active");

    CHECK(active);
    GIVES(active(), 1);
    GIVES(attached_early(), 0);
    p = OK(ioeventpipe(16));
    no_form();
    vectors();
    eventfds();
    fortified();
    ranges();
    return 0;
}
