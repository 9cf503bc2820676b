/* Every exported function does what libc's does on a descriptor that is not attached. */
#include "check.h"

#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>

ssize_t __read(int, void *, size_t), __write(int, const void *, size_t);
ssize_t __pread64(int, void *, size_t, off_t), __pwrite64(int, const void *, size_t, off_t);
ssize_t __send(int, const void *, size_t, int);
int __connect(int, const struct sockaddr *, socklen_t), __close(int), __dup2(int, int), __fcntl(int, int, ...);

static char b[8];
static struct iovec iov[2] = { { b, 2 }, { b + 2, 2 } };
static struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

#define READS(call, text)                                                       \
    do {                                                                        \
        memset(b, 0, sizeof b);                                                 \
        GIVES(call, (int)sizeof text - 1);                                      \
        CHECK(memcmp(b, text, sizeof text - 1) == 0);                           \
    } while (0)
#define WRITES(call, text)                                                      \
    do {                                                                        \
        memcpy(b, text, sizeof text - 1);                                       \
        GIVES(call, (int)sizeof text - 1);                                      \
    } while (0)

static void files(void)
{
    char path[] = "/tmp/calls.XXXXXX";
    int f = OK(mkstemp(path));

    unlink(path);
    WRITES(write(f, b, 4), "0123");
    WRITES(__write(f, b, 4), "4567");
    WRITES(writev(f, iov, 2), "89ab");
    WRITES(pwrite(f, b, 4, 12), "cdef");
    WRITES(pwrite64(f, b, 4, 16), "ghij");
    WRITES(__pwrite64(f, b, 4, 20), "klmn");
    WRITES(pwritev(f, iov, 2, 24), "opqr");
    WRITES(pwritev64(f, iov, 2, 28), "stuv");
    WRITES(pwritev2(f, iov, 2, 32, RWF_DSYNC), "wxyz");
    WRITES(pwritev64v2(f, iov, 2, 36, 0), "ABCD");
    WRITES(pwritev2(f, iov, 2, -1, RWF_APPEND), "EFGH");
    GIVES(lseek(f, 0, SEEK_SET), 0);
    READS(read(f, b, 4), "0123");
    READS(__read(f, b, 4), "4567");
    READS(readv(f, iov, 2), "89ab");
    READS(preadv2(f, iov, 2, -1, 0), "cdef");
    READS(pread(f, b, 4, 16), "ghij");
    READS(pread64(f, b, 4, 20), "klmn");
    READS(__pread64(f, b, 4, 24), "opqr");
    READS(preadv(f, iov, 2, 28), "stuv");
    READS(preadv64(f, iov, 2, 32), "wxyz");
    READS(preadv2(f, iov, 2, 36, RWF_HIPRI), "ABCD");
    READS(preadv64v2(f, iov, 2, 40, 0), "EFGH");
    FAILS(preadv2(f, iov, 2, 0, 1 << 20), EOPNOTSUPP);
    FAILS(pread(f, b, 4, -7), EINVAL);
    FAILS(pwritev(f, iov, 2, -7), EINVAL);
    GIVES(fsync(f), 0);
    GIVES(fdatasync(f), 0);
    GIVES(__fcntl(f, F_SETFD, FD_CLOEXEC), 0);
    GIVES(fcntl64(f, F_GETFD), FD_CLOEXEC);
    GIVES(__dup2(f, 200), 200);
    GIVES(__close(200), 0);
    FAILS(__close(200), EBADF);
    GIVES(close(f), 0);
}

static void sockets(void)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX }, from;
    socklen_t length = sizeof name;
    struct iovec one[2] = { { b, 2 }, { b + 2, 2 } };
    struct mmsghdr mmsg[2] = { { { .msg_iov = one, .msg_iovlen = 1 }, 0 }, { { .msg_iov = one + 1, .msg_iovlen = 1 }, 0 } };
    struct timespec long_enough = { 50, 0 };
    int l = OK(socket(AF_UNIX, SOCK_STREAM, 0)), c = OK(socket(AF_UNIX, SOCK_STREAM, 0)), s, d[2];

    GIVES(bind(l, (struct sockaddr *)&name, sizeof(sa_family_t)), 0);
    GIVES(getsockname(l, (struct sockaddr *)&name, &length), 0);
    GIVES(listen(l, 2), 0);
    GIVES(connect(c, (struct sockaddr *)&name, length), 0);
    s = OK(accept(l, NULL, NULL));
    close(c);
    READS(recv(s, b, 1, 0), "");
    close(s);
    c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    GIVES(__connect(c, (struct sockaddr *)&name, length), 0);
    length = sizeof from;
    s = OK(accept4(l, (struct sockaddr *)&from, &length, SOCK_CLOEXEC | SOCK_NONBLOCK));
    GIVES(length, (int)sizeof(sa_family_t));
    GIVES(fcntl(s, F_GETFD), FD_CLOEXEC);
    WRITES(send(c, b, 4, 0), "0123");
    WRITES(__send(c, b, 4, 0), "4567");
    WRITES(sendto(c, b, 4, MSG_NOSIGNAL, NULL, 0), "89ab");
    WRITES(sendmsg(c, &msg, 0), "cdef");
    READS(recv(s, b, 4, 0), "0123");
    READS(recvfrom(s, b, 4, 0, NULL, NULL), "4567");
    READS(recvmsg(s, &msg, 0), "89ab");
    READS(read(s, b, 4), "cdef");
    FAILS(recv(s, b, 4, 0), EAGAIN);
    GIVES(shutdown(c, SHUT_WR), 0);
    READS(recv(s, b, 4, 0), "");
    GIVES(socketpair(AF_UNIX, SOCK_DGRAM, 0, d), 0);
    memcpy(b, "wxyz", 4);
    GIVES(sendmmsg(d[0], mmsg, 2, 0), 2);
    memset(b, 0, sizeof b);
    GIVES(recvmmsg(d[1], mmsg, 2, MSG_WAITFORONE, &long_enough), 2);
    CHECK(memcmp(b, "wxyz", 4) == 0 && mmsg[1].msg_len == 2);
    closefrom(l);
}

static void pipes(void)
{
    char path[] = "/tmp/calls.XXXXXX";
    int f = OK(mkstemp(path)), p[2], q[2], e = OK(eventfd(5, EFD_NONBLOCK));
    loff_t at = 2;
    off_t offset = 0;
    eventfd_t value;
    siginfo_t info;
    pid_t child;

    unlink(path);
    GIVES(pipe(p), 0);
    GIVES(pipe(q), 0);
    WRITES(write(f, b, 8), "01234567");
    GIVES(sendfile(p[1], f, &offset, 2), 2);
    GIVES(sendfile64(p[1], f, &offset, 2), 2);
    GIVES(offset, 4);
    GIVES(splice(f, &at, p[1], NULL, 2, 0), 2);
    GIVES(at, 4);
    GIVES(tee(p[0], q[1], 6, 0), 6);
    READS(read(q[0], b, 8), "012323");
    memcpy(b, "stuv", 4);
    GIVES(vmsplice(q[1], iov, 2, 0), 4);
    GIVES(splice(q[0], NULL, p[1], NULL, 4, SPLICE_F_MOVE), 4);
    memset(b, 0, 4);
    GIVES(read(p[0], b, 6), 6);
    GIVES(eventfd_write(e, 7), 0);
    GIVES(eventfd_read(e, &value), 0);
    GIVES(value, 12);
    FAILS(eventfd_read(e, &value), EAGAIN);
    FAILS(eventfd_write(e, ~0ULL), EINVAL);
    GIVES(dup2(p[0], 100), 100);
    GIVES(dup3(p[0], 101, O_CLOEXEC), 101);
    GIVES(fcntl(101, F_GETFD), FD_CLOEXEC);
    GIVES(close_range(100, 101, 0), 0);
    FAILS(fcntl(100, F_GETFD), EBADF);
    child = OK(fork());
    if (child == 0)
        _exit(9);
    GIVES(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    CHECK(info.si_pid == child && info.si_status == 9);
    GIVES(waitid(P_ALL, 0, &info, WEXITED), 0);
    FAILS(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
    signal(SIGPIPE, SIG_IGN);
    close(p[0]);
    FAILS(write(p[1], b, 1), EPIPE);
    closefrom(f);
}

int main(void)
{
    files();
    sockets();
    pipes();
    return 0;
}
