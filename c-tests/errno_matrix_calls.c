/*
 * Every I/O call, with good and bad arguments, on every kind of file, four ways: a descriptor that is not attached
 * gives what libc's call gives, result and errno both: rule 1.1; an attached one gives the same at once or in its
 * event, never both, or waits where libc's would have waited: rule 2.4, rule 2.6; so does ioevent_submit: rule 2.9; and
 * on a full pipe nothing is queued: rule 2.1. No descriptor at all, and a pipe where none belongs, are refused.
 *
 * Every call gets files of its own, and all that is not as it should be is told before the end.
 */
#include "test.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static char text[64] = "text", into[64];
static struct iovec iov[2] = { { into, 5 }, { into + 5, 20 } };
static struct iovec nowhere = { NULL, 5 }, too_much = { into, SIZE_MAX / 2 + 9 };
static struct iovec many[5000];
static struct msghdr to = { .msg_iov = iov, .msg_iovlen = 2 }, to_nowhere = { .msg_iov = &nowhere, .msg_iovlen = 1 },
                     too_many = { .msg_iov = many, .msg_iovlen = 5000 };
static struct sockaddr_in in = { .sin_family = AF_INET }, odd = { .sin_family = 0x7777 };
static struct sockaddr_storage from;
static socklen_t in_length = sizeof in, short_length = 1, from_length;
static siginfo_t info;
static int letters, failures, pidfd_child;

enum { SELF = 0, SOURCE = -1000, DESTINATION, PATTERN }; /* descriptors that stand for others */
enum {
    NO_SUBMIT = 1,   /* ioevent_submit takes it for something else */
    BAD_POINTER = 2,
    BAD = 4,         /* bad in itself: if the descriptor is bad, too, either may be told */
};

#define SA(a) ((struct sockaddr *)(void *)&(a))

/* What is called. ioo_fd is the descriptor in question, unless something else is said. */
static const struct row {
    const char *name;
    int flags;
    struct ioevent_op op;
} rows[] = {
#define ROW(kind, flags, ...) { #kind " " #__VA_ARGS__, flags, { .ioo_kind = IOEVENT_OP_##kind, __VA_ARGS__ } }
    ROW(READ, 0, .ioo_buf = into, .ioo_len = 8),
    ROW(READ, 0, .ioo_buf = into, .ioo_len = 1),
    ROW(READ, 0, .ioo_buf = into),
    ROW(READ, BAD_POINTER, .ioo_len = 8),
    ROW(WRITE, 0, .ioo_buf = text, .ioo_len = 8),
    ROW(WRITE, 0, .ioo_buf = text, .ioo_len = 1),
    ROW(WRITE, 0, .ioo_buf = text),
    ROW(WRITE, BAD_POINTER, .ioo_len = 8),
    ROW(READV, 0, .ioo_buf = iov, .ioo_len = 2),
    ROW(READV, 0, .ioo_buf = iov, .ioo_len = 0),
    ROW(READV, BAD, .ioo_buf = iov, .ioo_len = (size_t)-1),
    ROW(READV, BAD, .ioo_buf = many, .ioo_len = 5000),
    ROW(READV, BAD, .ioo_buf = &too_much, .ioo_len = 1),
    ROW(READV, BAD_POINTER, .ioo_len = 1),
    ROW(READV, BAD_POINTER, .ioo_buf = &nowhere, .ioo_len = 1),
    ROW(WRITEV, 0, .ioo_buf = iov, .ioo_len = 2),
    ROW(WRITEV, 0, .ioo_buf = iov, .ioo_len = 0),
    ROW(WRITEV, BAD, .ioo_buf = iov, .ioo_len = (size_t)-1),
    ROW(WRITEV, BAD, .ioo_buf = many, .ioo_len = 5000),
    ROW(WRITEV, BAD, .ioo_buf = &too_much, .ioo_len = 1),
    ROW(WRITEV, BAD_POINTER, .ioo_len = 1),
    ROW(WRITEV, BAD_POINTER, .ioo_buf = &nowhere, .ioo_len = 1),
    ROW(PREAD, 0, .ioo_buf = into, .ioo_len = 8),
    ROW(PREAD, 0, .ioo_buf = into, .ioo_len = 8, .ioo_offset = 1ll << 40),
    ROW(PREAD, NO_SUBMIT, .ioo_buf = into, .ioo_len = 8, .ioo_offset = -1),
    ROW(PREAD, BAD, .ioo_buf = into, .ioo_len = 8, .ioo_offset = -2),
    ROW(PREAD, BAD_POINTER, .ioo_len = 8),
    ROW(PWRITE, 0, .ioo_buf = text, .ioo_len = 8),
    ROW(PWRITE, NO_SUBMIT, .ioo_buf = text, .ioo_len = 8, .ioo_offset = -1),
    ROW(PWRITE, BAD, .ioo_buf = text, .ioo_len = 8, .ioo_offset = INT64_MIN),
    ROW(PWRITE, BAD_POINTER, .ioo_len = 8),
    ROW(PREADV, 0, .ioo_buf = iov, .ioo_len = 2),
    ROW(PREADV, BAD, .ioo_buf = iov, .ioo_len = (size_t)-1),
    ROW(PREADV, BAD, .ioo_buf = iov, .ioo_len = 2, .ioo_offset = -5),
    ROW(PREADV, BAD_POINTER, .ioo_len = 2),
    ROW(PWRITEV, 0, .ioo_buf = iov, .ioo_len = 2),
    ROW(PWRITEV, BAD, .ioo_buf = many, .ioo_len = 5000),
    ROW(PWRITEV, BAD, .ioo_buf = iov, .ioo_len = 2, .ioo_offset = -5),
    ROW(PWRITEV, BAD_POINTER, .ioo_len = 2),
    ROW(RECV, 0, .ioo_buf = into, .ioo_len = 8),
    ROW(RECV, 0, .ioo_buf = into, .ioo_len = 8, .ioo_arg = MSG_PEEK),
    ROW(RECV, 0, .ioo_buf = into, .ioo_len = 8, .ioo_arg = MSG_DONTWAIT | MSG_TRUNC),
    ROW(RECV, 0, .ioo_buf = into, .ioo_len = 8, .ioo_arg = MSG_OOB),
    ROW(RECV, 0, .ioo_buf = into, .ioo_len = 8, .ioo_arg = MSG_ERRQUEUE),
    ROW(RECV, BAD_POINTER, .ioo_len = 8),
    ROW(RECVFROM, 0, .ioo_buf = into, .ioo_len = 8),
    ROW(RECVFROM, 0, .ioo_buf = into, .ioo_len = 8, .ioo_addr = SA(from), .ioo_addrlen = &from_length),
    ROW(RECVMSG, 0, .ioo_buf = &to),
    ROW(RECVMSG, BAD, .ioo_buf = &too_many),
    ROW(RECVMSG, BAD_POINTER, .ioo_buf = &to_nowhere),
    ROW(RECVMSG, BAD_POINTER),
    ROW(SEND, 0, .ioo_buf = text, .ioo_len = 8),
    ROW(SEND, 0, .ioo_buf = text, .ioo_len = 8, .ioo_arg = MSG_DONTWAIT),
    ROW(SEND, 0, .ioo_buf = text, .ioo_len = 8, .ioo_arg = MSG_OOB),
    ROW(SEND, BAD_POINTER, .ioo_len = 8),
    ROW(SENDTO, 0, .ioo_buf = text, .ioo_len = 8),
    ROW(SENDTO, 0, .ioo_buf = text, .ioo_len = 8, .ioo_addr = SA(in), .ioo_addrlen = &short_length),
    ROW(SENDTO, 0, .ioo_buf = text, .ioo_len = 8, .ioo_addr = SA(odd), .ioo_addrlen = &in_length),
    ROW(SENDMSG, 0, .ioo_buf = &to),
    ROW(SENDMSG, BAD, .ioo_buf = &too_many),
    ROW(SENDMSG, BAD_POINTER, .ioo_buf = &to_nowhere),
    ROW(SENDMSG, BAD_POINTER),
    ROW(ACCEPT, 0, .ioo_addr = NULL),
    ROW(ACCEPT, 0, .ioo_addr = SA(from), .ioo_addrlen = &from_length),
    ROW(ACCEPT4, 0, .ioo_arg = SOCK_CLOEXEC),
    ROW(ACCEPT4, BAD, .ioo_arg = 12345),
    ROW(CONNECT, 0, .ioo_addr = SA(in), .ioo_addrlen = &short_length),
    ROW(CONNECT, 0, .ioo_addr = SA(odd), .ioo_addrlen = &in_length),
    ROW(SENDFILE, 0, .ioo_fd2 = PATTERN, .ioo_len = 8),
    ROW(SENDFILE, 0, .ioo_fd2 = PATTERN, .ioo_len = 8, .ioo_offset = -1),
    ROW(SENDFILE, BAD, .ioo_fd2 = PATTERN, .ioo_len = 8, .ioo_offset = -7),
    ROW(SENDFILE, BAD, .ioo_fd2 = -1, .ioo_len = 8),
    ROW(SENDFILE, 0, .ioo_fd = DESTINATION, .ioo_fd2 = SELF, .ioo_len = 8),
    ROW(SENDFILE, 0, .ioo_fd = DESTINATION, .ioo_fd2 = SELF, .ioo_len = 8, .ioo_offset = -1),
    ROW(SENDFILE, BAD, .ioo_fd = -1, .ioo_fd2 = SELF, .ioo_len = 8),
    ROW(SPLICE, 0, .ioo_fd2 = SOURCE, .ioo_len = 8, .ioo_offset = -1, .ioo_offset2 = -1),
    ROW(SPLICE, 0, .ioo_fd2 = SOURCE, .ioo_len = 8, .ioo_offset = 3, .ioo_offset2 = -1),
    ROW(SPLICE, 0, .ioo_fd2 = SOURCE, .ioo_len = 8, .ioo_offset = -1, .ioo_offset2 = 3),
    ROW(SPLICE, BAD, .ioo_fd2 = SOURCE, .ioo_len = 8, .ioo_offset = -1, .ioo_offset2 = -1, .ioo_arg = 0xff),
    ROW(SPLICE, BAD, .ioo_fd2 = -1, .ioo_len = 8, .ioo_offset = -1, .ioo_offset2 = -1),
    ROW(SPLICE, 0, .ioo_fd2 = PATTERN, .ioo_len = 8, .ioo_offset = -1, .ioo_offset2 = -1),
    ROW(SPLICE, 0, .ioo_fd = DESTINATION, .ioo_fd2 = SELF, .ioo_len = 8, .ioo_offset = -1, .ioo_offset2 = -1),
    ROW(SPLICE, 0, .ioo_fd = DESTINATION, .ioo_fd2 = SELF, .ioo_len = 8, .ioo_offset = 1, .ioo_offset2 = -1),
    ROW(SPLICE, BAD, .ioo_fd = -1, .ioo_fd2 = SELF, .ioo_len = 8, .ioo_offset = -1, .ioo_offset2 = -1),
    ROW(FSYNC, 0, .ioo_len = 0),
    ROW(FDATASYNC, 0, .ioo_len = 0),
    ROW(SHUTDOWN, 0, .ioo_arg = SHUT_RD),
    ROW(SHUTDOWN, 0, .ioo_arg = SHUT_WR),
    ROW(SHUTDOWN, 0, .ioo_arg = SHUT_RDWR),
    ROW(SHUTDOWN, BAD, .ioo_arg = 99),
    ROW(SHUTDOWN, BAD, .ioo_arg = -1),
    ROW(WAITID, 0, .ioo_buf = &info, .ioo_arg = WEXITED | WNOHANG | WNOWAIT),
    ROW(WAITID, 0, .ioo_buf = &info, .ioo_arg = 0),
    ROW(WAITID, BAD, .ioo_buf = &info, .ioo_arg = -1),
};

/* The call of this row: ours or libc's. */
static long call(const struct ioevent_op *o, bool libcs)
{
    int fd = o->ioo_fd, n = (int)o->ioo_len, arg = o->ioo_arg;
    void *buf = o->ioo_buf;
    size_t len = o->ioo_len;
    socklen_t length = o->ioo_addrlen ? *o->ioo_addrlen : 0;
    static off_t offset, offset2; /* the library's until the event has been read */
    off_t *at = o->ioo_offset == -1 ? NULL : &offset, *at2 = o->ioo_offset2 == -1 ? NULL : &offset2;

    offset = o->ioo_offset;
    offset2 = o->ioo_offset2;

#define EITHER_OF(ours, theirs, arguments) (libcs ? (long)theirs arguments : (long)ours arguments)
    switch (o->ioo_kind) {
    case IOEVENT_OP_READ: return EITHER_OF(ioevent_read, read, (fd, buf, len));
    case IOEVENT_OP_WRITE: return EITHER_OF(ioevent_write, write, (fd, buf, len));
    case IOEVENT_OP_READV: return EITHER_OF(ioevent_readv, readv, (fd, buf, n));
    case IOEVENT_OP_WRITEV: return EITHER_OF(ioevent_writev, writev, (fd, buf, n));
    case IOEVENT_OP_PREAD: return EITHER_OF(ioevent_pread, pread, (fd, buf, len, offset));
    case IOEVENT_OP_PWRITE: return EITHER_OF(ioevent_pwrite, pwrite, (fd, buf, len, offset));
    case IOEVENT_OP_PREADV: return EITHER_OF(ioevent_preadv, preadv, (fd, buf, n, offset));
    case IOEVENT_OP_PWRITEV: return EITHER_OF(ioevent_pwritev, pwritev, (fd, buf, n, offset));
    case IOEVENT_OP_RECV: return EITHER_OF(ioevent_recv, recv, (fd, buf, len, arg));
    case IOEVENT_OP_RECVFROM:
        return EITHER_OF(ioevent_recvfrom, recvfrom, (fd, buf, len, arg, o->ioo_addr, o->ioo_addrlen));
    case IOEVENT_OP_RECVMSG: return EITHER_OF(ioevent_recvmsg, recvmsg, (fd, buf, arg));
    case IOEVENT_OP_SEND: return EITHER_OF(ioevent_send, send, (fd, buf, len, arg));
    case IOEVENT_OP_SENDTO: return EITHER_OF(ioevent_sendto, sendto, (fd, buf, len, arg, o->ioo_addr, length));
    case IOEVENT_OP_SENDMSG: return EITHER_OF(ioevent_sendmsg, sendmsg, (fd, buf, arg));
    case IOEVENT_OP_ACCEPT: return EITHER_OF(ioevent_accept, accept, (fd, o->ioo_addr, o->ioo_addrlen));
    case IOEVENT_OP_ACCEPT4: return EITHER_OF(ioevent_accept4, accept4, (fd, o->ioo_addr, o->ioo_addrlen, arg));
    case IOEVENT_OP_CONNECT: return EITHER_OF(ioevent_connect, connect, (fd, o->ioo_addr, length));
    case IOEVENT_OP_SENDFILE: return EITHER_OF(ioevent_sendfile, sendfile, (fd, o->ioo_fd2, at, len));
    case IOEVENT_OP_SPLICE: return EITHER_OF(ioevent_splice, splice, (o->ioo_fd2, at, fd, at2, len, (unsigned)arg));
    case IOEVENT_OP_FSYNC: return EITHER_OF(ioevent_fsync, fsync, (fd));
    case IOEVENT_OP_FDATASYNC: return EITHER_OF(ioevent_fdatasync, fdatasync, (fd));
    case IOEVENT_OP_SHUTDOWN: return EITHER_OF(ioevent_shutdown, shutdown, (fd, arg));
    case IOEVENT_OP_WAITID: return EITHER_OF(ioevent_waitid, waitid, (P_PIDFD, (id_t)fd, buf, arg));
    default: abort();
    }
}

/* ---- kinds of files ---- */

static int keep[64], nkeep; /* the other ends */

static int and_keep(int fd, int other)
{
    keep[nkeep++] = other;
    set_nonblock(fd, true);
    return fd;
}

static int closed_number(void)
{
    int fd = OK(dup2(letters, 700));

    OK(close(fd));
    return fd;
}

enum file {
    F_UNIX, F_UNIX_EMPTY, F_UNIX_GONE, F_DGRAM, F_UDP, F_TCP_NEW, F_TCP_SHUT, F_LISTENER, F_PIPE_IN, F_PIPE_IN_EMPTY,
    F_PIPE_OUT, F_PIPE_OUT_GONE, F_EVENTFD, F_EVENTFD_EMPTY, F_TIMERFD, F_INOTIFY, F_SIGNALFD, F_PIDFD, F_FILE,
    F_FILE_IN, F_FILE_OUT, F_NULL, F_ZERO, F_EPOLL, F_DIRECTORY, F_PATH, FILES
};

static const char *const file_name[FILES] = {
    "unix socket", "unix socket without data", "unix socket whose peer is gone", "unix datagram socket", "udp socket",
    "tcp socket that is not connected", "tcp socket that is shut down", "listener", "pipe to read",
    "empty pipe to read", "pipe to write", "pipe to write without reader", "eventfd", "eventfd at 0", "timerfd",
    "inotify", "signalfd", "pidfd", "file", "file to read", "file to write", "/dev/null", "/dev/zero", "epoll",
    "directory", "O_PATH"
};

static int make(enum file file)
{
    int fd[2];
    char path[] = "/tmp/ioevent-test-XXXXXX";
    struct address a;
    sigset_t none;

    switch (file) {
    case F_UNIX:
    case F_UNIX_EMPTY:
    case F_UNIX_GONE:
    case F_DGRAM:
        OK(socketpair(AF_UNIX, (file == F_DGRAM ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0, fd));
        if (file == F_UNIX || file == F_DGRAM)
            OK(send(fd[1], "abc", 3, 0));
        if (file != F_UNIX_GONE)
            return and_keep(fd[0], fd[1]);
        OK(close(fd[1]));
        set_nonblock(fd[0], true);
        return fd[0];
    case F_UDP:
        return OK(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    case F_TCP_NEW:
        return OK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    case F_TCP_SHUT:
        CHECK(tcp_pair(AF_INET, fd));
        OK(shutdown(fd[1], SHUT_WR));
        OK(shutdown(fd[0], SHUT_WR));
        CHECK(poll(&(struct pollfd){ .fd = fd[0], .events = POLLIN }, 1, 5000) == 1);
        return and_keep(fd[0], fd[1]);
    case F_LISTENER:
        fd[0] = listener(AF_INET, 1, &a);
        set_nonblock(fd[0], true);
        return fd[0];
    case F_PIPE_IN:
    case F_PIPE_IN_EMPTY:
        OK(pipe2(fd, O_CLOEXEC));
        if (file == F_PIPE_IN)
            OK(write(fd[1], "abc", 3));
        return and_keep(fd[0], fd[1]);
    case F_PIPE_OUT:
    case F_PIPE_OUT_GONE:
        OK(pipe2(fd, O_CLOEXEC));
        if (file == F_PIPE_OUT)
            return and_keep(fd[1], fd[0]);
        OK(close(fd[0]));
        set_nonblock(fd[1], true);
        return fd[1];
    case F_EVENTFD:
    case F_EVENTFD_EMPTY:
        return OK(eventfd(file == F_EVENTFD ? 5 : 0, EFD_CLOEXEC | EFD_NONBLOCK));
    case F_TIMERFD:
        return OK(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    case F_INOTIFY:
        return OK(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    case F_SIGNALFD:
        sigemptyset(&none);
        return OK(signalfd(-1, &none, SFD_CLOEXEC | SFD_NONBLOCK));
    case F_PIDFD:
        return (int)syscall(SYS_pidfd_open, pidfd_child, 0); /* valgrind has none */
    case F_FILE:
    case F_FILE_IN:
    case F_FILE_OUT:
        fd[0] = OK(mkstemp(path));
        OK(write(fd[0], "abcdefghij", 10));
        fd[1] = OK(open(path, (file == F_FILE ? O_RDWR : file == F_FILE_IN ? O_RDONLY : O_WRONLY) | O_CLOEXEC));
        OK(unlink(path));
        OK(close(fd[0]));
        return fd[1];
    case F_NULL:
        return OK(open("/dev/null", O_RDWR | O_CLOEXEC));
    case F_ZERO:
        return OK(open("/dev/zero", O_RDWR | O_CLOEXEC));
    case F_EPOLL:
        return OK(epoll_create1(EPOLL_CLOEXEC));
    case F_DIRECTORY:
        return OK(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    default:
        return OK(open("/", O_PATH | O_CLOEXEC));
    }
}

/* ---- the matrix ---- */

/* The operation of a row, on this descriptor; the others it needs are made anew. */
static struct ioevent_op fill(const struct row *row, int fd)
{
    struct ioevent_op op = row->op;
    int x[2];

    for (int i = 0; i < 2; i++) {
        int *at = i ? &op.ioo_fd2 : &op.ioo_fd;

        if (*at == SELF) {
            *at = fd;
        } else if (*at == PATTERN) {
            OK(lseek(letters, 0, SEEK_SET));
            *at = letters;
        } else if (*at == SOURCE || *at == DESTINATION) {
            bool source = *at == SOURCE;

            OK(pipe2(x, O_CLOEXEC));
            if (source)
                OK(write(x[1], "abcdefgh", 8));
            *at = x[!source];
            keep[nkeep++] = x[0];
            keep[nkeep++] = x[1];
        }
    }
    memcpy(text, "\1\0\0\0\0\0\0\0", 8); /* an eventfd takes it, too */
    for (int i = 0; i < 25; i++)
        into[i] = i == 0;
    from_length = sizeof from;
    return op;
}

static void clean_up(int fd)
{
    if (fd >= 0)
        GIVES(ioevent_close(fd), 0);
    while (nkeep > 0)
        OK(close(keep[--nkeep]));
}

__attribute__((format(printf, 3, 4)))
static void wrong(const char *file, const struct row *row, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s, %s: ", file, row->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    failures++;
}

static bool would_wait(long r, int err)
{
    return r == -1 && (err == EAGAIN || err == EINPROGRESS || err == EALREADY);
}

/* What came at once, or in the event, is what libc's call gave; or it waits, as that would have done. */
static void judge(const char *file, const struct row *row, const char *way, int p, int fd, long ours, int our_errno,
                  long r, int err)
{
    struct ioevent e;
    struct timespec t = { 5, 0 };
    int n;

    if (ours == -1 && our_errno == EIOEVENTQUEUED) {
        if (would_wait(r, err)) {
            n = ioevent_wait(p, &e, 1, &no_wait);
            if (n == 0 && ioevent_cancel(fd) != 1)
                wrong(file, row, "%s: it waits, and cannot be cancelled", way);
            if (n == 0)
                n = ioevent_wait(p, &e, 1, &t);
            if (n != 1 || e.ioe_user != USER(5) || (e.ioe_errno != ECANCELED && e.ioe_errno != err))
                wrong(file, row, "%s: cancelled, it gave %d events, result %d errno %d", way, n, e.ioe_result,
                      e.ioe_errno);
            return;
        }
        n = ioevent_wait(p, &e, 1, &t);
        if (n != 1) {
            wrong(file, row, "%s: no event came; libc gave %ld errno %d (%s)", way, r, err, strerror(err));
            ioevent_cancel(fd);
            ioevent_wait(p, &e, 1, &t);
            return;
        }
        ours = e.ioe_result;
        our_errno = e.ioe_errno;
        if (e.ioe_user != USER(5))
            wrong(file, row, "%s: the user pointer is %p", way, e.ioe_user);
    } else if (ours != -1) {
        wrong(file, row, "%s: it gave %ld at once", way, ours);
        return;
    }
    if (row->op.ioo_kind == IOEVENT_OP_ACCEPT || row->op.ioo_kind == IOEVENT_OP_ACCEPT4)
        if (ours >= 0 && r >= 0)
            return;
    if (ours != r || (r == -1 && our_errno != err && !(row->flags & BAD)))
        wrong(file, row, "%s: it gave %ld errno %d (%s); libc gave %ld errno %d (%s)", way, ours, our_errno,
              strerror(our_errno), r, err, strerror(err));
    n = ioevent_wait(p, &e, 1, &no_wait);
    if (n != 0)
        wrong(file, row, "%s: another event came: result %d errno %d", way, e.ioe_result, e.ioe_errno);
}

static void cell(enum file file, const struct row *row, int p, int full)
{
    const char *name = file_name[file];
    struct ioevent_op op;
    int fd, err, our_errno;
    long r, ours;

    /* libc's */
    fd = make(file);
    if (fd == -1)
        return;
    op = fill(row, fd);
    errno = 0;
    r = call(&op, true);
    err = r == -1 ? errno : 0;
    clean_up(fd);

    /* not attached */
    fd = make(file);
    op = fill(row, fd);
    errno = 0;
    ours = call(&op, false);
    our_errno = ours == -1 ? errno : 0;
    if ((ours != r || our_errno != err) && !(row->op.ioo_kind == IOEVENT_OP_ACCEPT && ours >= 0 && r >= 0))
        wrong(name, row, "not attached: it gave %ld errno %d (%s); libc gave %ld errno %d (%s)", ours, our_errno,
              strerror(our_errno), r, err, strerror(err));
    op.ioo_user = USER(5);
    if (op.ioo_fd >= 0) {
        errno = 0;
        ours = ioevent_submit(&op, 1);
        if (ours != -1 || errno != EINVAL)
            if (!(file == F_PATH && ours == -1 && errno == EBADF))
                wrong(name, row, "not attached, ioevent_submit gave %ld errno %d", ours, errno);
    }
    clean_up(fd);

    for (int way = 0; way < 3; way++) {
        fd = make(file);
        if (ioevent_fcntl(fd, F_SETIOEVENTPIPE, way < 2 ? p : full, USER(5)) == -1) {
            if (file != F_PATH && file != F_DIRECTORY && file != F_EPOLL)
                wrong(name, row, "it cannot be attached: errno %d", errno);
            clean_up(fd);
            return;
        }
        op = fill(row, fd);
        op.ioo_user = USER(5);
        errno = 0;
        if (way == 0) {
            ours = call(&op, false);
            judge(name, row, "attached", p, fd, ours, errno, r, err);
        } else if (way == 1 && !(row->flags & NO_SUBMIT)) {
            ours = ioevent_submit(&op, 1);
            if (ours == 1)
                judge(name, row, "submitted", p, fd, -1, EIOEVENTQUEUED, r, err);
            else if (ours == -1)
                judge(name, row, "submitted", p, fd, -1, errno, r, err);
            else
                wrong(name, row, "ioevent_submit gave %ld", ours);
        } else if (way == 2) {
            ours = call(&op, false);
            our_errno = errno;
            if (ours != -1 || (our_errno != EIOEVENTFULL && our_errno != err))
                wrong(name, row, "on a full pipe: it gave %ld errno %d (%s)", ours, our_errno,
                      ioevent_strerror(our_errno));
        }
        if (ioevent_fcntl(p, F_GETIOEVENTCNT) != 0 || ioevent_fcntl(full, F_GETIOEVENTCNT) != 1)
            wrong(name, row, "places are taken");
        clean_up(fd);
    }
}

/* No descriptor: EBADF; and a pipe, or a copy of one, is not for I/O, but for what reads or posts events. */
static void outside(const struct row *row, int p, int dup_of_p)
{
    int none[] = { -1, -2, INT_MIN, INT_MAX, 1 << 30, closed_number() };
    int kind = row->op.ioo_kind;
    bool harvests_or_posts = kind == IOEVENT_OP_READ || kind == IOEVENT_OP_READV || kind == IOEVENT_OP_WRITE ||
                             kind == IOEVENT_OP_WRITEV;

    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        for (int way = 0; way < 2; way++) {
            struct ioevent_op op = fill(row, none[i]), same = op;
            long r, ours;
            int err, our_errno;

            errno = 0;
            r = call(&same, true);
            err = errno;
            errno = 0;
            ours = way ? ioevent_submit(&op, 1) : call(&op, false);
            our_errno = errno;
            if (ours != -1 || (way ? our_errno != EBADF && our_errno != EINVAL : our_errno != err) || r != -1)
                wrong("no descriptor", row, "%s it gave %ld errno %d, libc %ld errno %d", way ? "submitted," : "", ours,
                      our_errno, r, err);
            clean_up(-1);
        }
    for (int i = 0; i < 2; i++) {
        struct ioevent_op op = fill(row, i ? dup_of_p : p);
        long r;

        errno = 0;
        r = ioevent_submit(&op, 1);
        if (op.ioo_fd >= 0 && op.ioo_fd2 >= 0 && (r != -1 || (errno != EINVAL && errno != EBADF)))
            wrong(i ? "copy of a pipe" : "pipe", row, "submitted, it gave %ld errno %d", r, errno);
        errno = 0;
        if (!i && harvests_or_posts)
            r = -1, errno = 0;
        else
            r = call(&op, false);
        if (r != -1 || errno == EIOEVENTQUEUED || errno == EIOEVENTFULL)
            wrong(i ? "copy of a pipe" : "pipe", row, "it gave %ld errno %d", r, errno);
        clean_up(-1);
    }
}

int main(void)
{
    int p = OK(ioeventpipe(4)), full = OK(ioeventpipe(1)), dup_of_p = OK(dup(p)), gate[2];
    char path[] = "/tmp/ioevent-test-XXXXXX", c;
    struct ioevent e = { USER(1), 2, 3 };

    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < 5000; i++)
        many[i] = (struct iovec){ into, 1 };
    letters = OK(mkstemp(path));
    OK(unlink(path));
    OK(write(letters, "0123456789abcdefghijklmnop", 26));
    GIVES(ioevent_write(full, &e, sizeof e), sizeof e);
    OK(pipe2(gate, O_CLOEXEC));
    if (child(&pidfd_child)) {
        close(gate[1]);
        _exit(read(gate[0], &c, 1) == 0 ? 0 : 1);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].flags & (BAD | BAD_POINTER) && on_valgrind()) /* it would object */
            continue;
        for (int file = 0; file < FILES; file++)
            cell((enum file)file, &rows[i], p, full);
        outside(&rows[i], p, dup_of_p);
    }
    QUIET(p);
    OK(close(gate[1]));
    CHILD_PASSED(pidfd_child);
    if (failures)
        fprintf(stderr, "%d cells of the matrix are wrong\n", failures);
    return failures != 0;
}
