/* Numbers that are no descriptors, and ranges that are none. */
#include "check.h"

#include <limits.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

static void bad(int fd, int good)
{
    char b[4];
    struct iovec iov = { b, 4 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct mmsghdr mmsg = { msg, 0 };
    struct sockaddr address = { .sa_family = AF_UNIX };
    socklen_t length = sizeof address;
    eventfd_t value;

    FAILS(read(fd, b, 4), EBADF);
    FAILS(write(fd, b, 4), EBADF);
    FAILS(readv(fd, &iov, 1), EBADF);
    FAILS(writev(fd, &iov, 1), EBADF);
    FAILS(pread(fd, b, 4, 0), EBADF);
    FAILS(pwrite(fd, b, 4, 0), EBADF);
    FAILS(preadv(fd, &iov, 1, 0), EBADF);
    FAILS(pwritev(fd, &iov, 1, 0), EBADF);
    FAILS(preadv2(fd, &iov, 1, 0, 0), EBADF);
    FAILS(pwritev2(fd, &iov, 1, -1, 0), EBADF);
    FAILS(recv(fd, b, 4, 0), EBADF);
    FAILS(recvfrom(fd, b, 4, 0, NULL, NULL), EBADF);
    FAILS(recvmsg(fd, &msg, 0), EBADF);
    FAILS(recvmmsg(fd, &mmsg, 1, 0, NULL), EBADF);
    FAILS(send(fd, b, 4, 0), EBADF);
    FAILS(sendto(fd, b, 4, 0, NULL, 0), EBADF);
    FAILS(sendmsg(fd, &msg, 0), EBADF);
    FAILS(sendmmsg(fd, &mmsg, 1, 0), EBADF);
    FAILS(accept(fd, &address, &length), EBADF);
    FAILS(accept4(fd, NULL, NULL, 0), EBADF);
    FAILS(connect(fd, &address, sizeof address), EBADF);
    FAILS(sendfile(fd, good, NULL, 1), EBADF);
    FAILS(sendfile(good, fd, NULL, 1), EBADF);
    FAILS(splice(fd, NULL, good, NULL, 1, 0), EBADF);
    FAILS(splice(good, NULL, fd, NULL, 1, 0), EBADF);
    FAILS(tee(fd, good, 1, 0), EBADF);
    FAILS(tee(good, fd, 1, 0), EBADF);
    FAILS(vmsplice(fd, &iov, 1, 0), EBADF);
    FAILS(fsync(fd), EBADF);
    FAILS(fdatasync(fd), EBADF);
    FAILS(shutdown(fd, SHUT_WR), EBADF);
    FAILS(close(fd), EBADF);
    FAILS(dup2(fd, good), EBADF);
    FAILS(dup2(good, fd), EBADF);
    FAILS(dup3(fd, good, 0), EBADF);
    FAILS(fcntl(fd, F_GETFL), EBADF);
    FAILS(eventfd_read(fd, &value), EBADF);
    FAILS(eventfd_write(fd, 1), EBADF);
    FAILS(waitid(P_PIDFD, (id_t)fd, NULL, WEXITED), fd < 0 ? EINVAL : EBADF);
}

/* A child that has only the standard streams and these. */
static void closed_by(void (*close_them)(void), int first_closed)
{
    pid_t child = OK(fork());

    if (child == 0) {
        close_them();
        for (int fd = first_closed; fd < 64; fd++)
            if (syscall(SYS_fcntl, fd, F_GETFD) != -1)
                _exit(1);
        for (int fd = 0; fd < first_closed; fd++)
            if (syscall(SYS_fcntl, fd, F_GETFD) == -1)
                _exit(2);
        _exit(0);
    }
    GIVES(child_status(child), 0);
}

static void all_from_minus_5(void) { closefrom(-5); }
static void from_3(void) { closefrom(3); }
static void range_from_3(void) { GIVES(close_range(3, ~0U, 0), 0); }
static void range_of_ints(void) { GIVES(close_range(3, INT_MAX, CLOSE_RANGE_UNSHARE), 0); }
static void range_from_0(void) { GIVES(close_range(0, ~0U, 0), 0); }

int main(void)
{
    static const int numbers[] = { -1, -2, INT_MIN, INT_MIN + 1, INT_MAX, 1 << 30, 1 << 20, 5000 };
    struct rlimit limit = { 4096, 4096 };
    int p[2];

    GIVES(setrlimit(RLIMIT_NOFILE, &limit), 0);
    GIVES(pipe(p), 0);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        bad(numbers[i], p[1]);
    FAILS(dup3(p[0], p[0], 0), EINVAL);
    GIVES(dup2(p[0], p[0]), p[0]);
    FAILS(close_range(10, 5, 0), EINVAL);
    FAILS(close_range(3, 5, 1 << 10), EINVAL);
    GIVES(dup2(p[0], 50), 50);
    GIVES(close_range(50, 50, CLOSE_RANGE_CLOEXEC), 0);
    GIVES(fcntl(50, F_GETFD), FD_CLOEXEC);
    closed_by(all_from_minus_5, 0);
    closed_by(range_from_0, 0);
    closed_by(from_3, 3);
    closed_by(range_from_3, 3);
    closed_by(range_of_ints, 3);
    GIVES(fcntl(p[0], F_GETFD), 0);
    return 0;
}
