/* errno is untouched where libc does not touch it, and set by nothing but the failure itself. */
#include "check.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/eventfd.h>

/* The call succeeds, and errno is what it was. */
#define KEEPS(call)                                                             \
    do {                                                                        \
        errno = 4321;                                                           \
        long r_ = (long)(call);                                                 \
        if (r_ < 0)                                                             \
            fail_at(PLACE #call " failed with", errno);                         \
        if (errno != 4321)                                                      \
            fail_at(PLACE #call " has set errno to", errno);                    \
    } while (0)

int main(void)
{
    char b[16] = "0123456789abcde", path[] = "/tmp/errno_kept.XXXXXX";
    struct iovec iov = { b, 4 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct mmsghdr mmsg = { msg, 0 };
    int file = OK(mkstemp(path)), e = OK(eventfd(0, 0)), s[2], p[2], q[2];
    eventfd_t value;
    off_t at = 0;
    siginfo_t info;
    pid_t child;

    unlink(path);
    GIVES(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    GIVES(pipe(p), 0);
    GIVES(pipe(q), 0);
    KEEPS(write(file, b, 16));
    KEEPS(pwrite(file, b, 16, 0));
    KEEPS(pwritev(file, &iov, 1, 0));
    KEEPS(pwritev2(file, &iov, 1, 0, 0));
    KEEPS(writev(file, &iov, 1));
    KEEPS(fsync(file));
    KEEPS(fdatasync(file));
    KEEPS(pread(file, b, 4, 0));
    KEEPS(preadv(file, &iov, 1, 0));
    KEEPS(preadv2(file, &iov, 1, 0, 0));
    KEEPS(read(file, b, 4));
    KEEPS(readv(file, &iov, 1));
    KEEPS(sendfile(p[1], file, &at, 4));
    KEEPS(tee(p[0], q[1], 4, 0));
    KEEPS(vmsplice(p[1], &iov, 1, 0));
    KEEPS(splice(p[0], NULL, q[1], NULL, 4, 0));
    KEEPS(send(s[0], b, 4, 0));
    KEEPS(sendto(s[0], b, 4, 0, NULL, 0));
    KEEPS(sendmsg(s[0], &msg, 0));
    KEEPS(sendmmsg(s[0], &mmsg, 1, 0));
    KEEPS(recv(s[1], b, 1, 0));
    KEEPS(recvfrom(s[1], b, 1, 0, NULL, NULL));
    KEEPS(recvmsg(s[1], &msg, 0));
    KEEPS(recvmmsg(s[1], &mmsg, 1, 0, NULL));
    KEEPS(eventfd_write(e, 3));
    KEEPS(eventfd_read(e, &value));
    GIVES(value, 3);
    KEEPS(fcntl(s[0], F_GETFL));
    KEEPS(fcntl(s[0], F_SETFD, FD_CLOEXEC));
    KEEPS(fcntl(s[0], F_GETOWN));
    KEEPS(dup2(s[0], 100));
    KEEPS(dup3(s[0], 101, O_CLOEXEC));
    KEEPS(shutdown(s[0], SHUT_WR));
    KEEPS(close(101));
    KEEPS(close_range(100, 100, 0));
    child = OK(fork());
    if (child == 0)
        _exit(7);
    KEEPS(waitid(P_PID, (id_t)child, &info, WEXITED));
    GIVES(info.si_status, 7);
    errno = 4321;
    CHECK(strerror(ENOENT) && errno == 4321);
    errno = 4321;
    CHECK(strerror_r(ENOENT, b, sizeof b) && errno == 4321);
    errno = 4321;
    closefrom(100);
    GIVES(errno, 4321);
    return 0;
}
