/* The third argument of fcntl reaches libc whole, whatever its type, or is not looked at. */
#include "check.h"

#include <sys/mman.h>

typedef int whole(int, int, unsigned long);
typedef int none(int, int);

int main(void)
{
    whole *volatile with_number = (whole *)fcntl, *volatile with_number64 = (whole *)fcntl64;
    none *volatile with_none = (none *)fcntl;
    char path[] = "/tmp/fcntl.XXXXXX";
    int file = OK(mkstemp(path)), p[2], high;
    struct flock lock = { .l_type = F_WRLCK, .l_start = 10, .l_len = 5 };
    struct f_owner_ex owner;
    pid_t child;

    unlink(path);
    GIVES(pipe(p), 0);
    /* A pointer, written to and read from, in another process too. */
    GIVES(fcntl(file, F_SETLK, &lock), 0);
    child = OK(fork());
    if (child == 0) {
        struct flock found = { .l_type = F_WRLCK };

        GIVES(fcntl64(file, F_GETLK, &found), 0);
        CHECK(found.l_pid == getppid() && found.l_start == 10 && found.l_len == 5);
        FAILS(fcntl(file, F_SETLK, &lock), EAGAIN);
        _exit(0);
    }
    GIVES(child_status(child), 0);
    lock.l_pid = 0;
    GIVES(fcntl(file, F_OFD_SETLK, &(struct flock){ .l_type = F_WRLCK, .l_start = 100, .l_len = 1 }), 0);

    /* An int, the upper half of whose register is anything. */
    GIVES(with_number(p[0], F_SETFD, 0xdeadbeef00000000 | FD_CLOEXEC), 0);
    GIVES(fcntl(p[0], F_GETFD), FD_CLOEXEC);
    GIVES(with_number64(p[0], F_SETFD, 0xdeadbeef00000000), 0);
    GIVES(fcntl(p[0], F_GETFD), 0);
    GIVES(with_number(p[0], F_SETFL, 0xdeadbeef00000000 | O_NONBLOCK), 0);
    GIVES(fcntl(p[0], F_GETFL), O_RDONLY | O_NONBLOCK);
    high = OK(with_number(p[0], F_DUPFD, 0x1234567800000000 | 300));
    GIVES(high, 300);
    GIVES(close(high), 0);

    /* None. */
    GIVES(with_none(p[0], F_GETFL), O_RDONLY | O_NONBLOCK);
    GIVES(with_none(p[0], F_GETFD), 0);

    /* glibc makes F_GETOWN of another command: a process group of less than 4096 is no error. */
    GIVES(setpgid(0, 0), 0);
    GIVES(fcntl(p[0], F_SETOWN, -getpgrp()), 0);
    errno = 4321;
    GIVES(fcntl(p[0], F_GETOWN), -getpgrp());
    GIVES(errno, 4321);
    GIVES(fcntl(p[0], F_GETOWN_EX, &owner), 0);
    CHECK(owner.type == F_OWNER_PGRP && owner.pid == getpgrp());

    GIVES(fcntl(p[1], F_SETPIPE_SZ, 65536), 65536);
    GIVES(fcntl(p[1], F_GETPIPE_SZ), 65536);
    GIVES(fcntl(OK(memfd_create("seals", MFD_ALLOW_SEALING)), F_ADD_SEALS, F_SEAL_GROW), 0);
    /* Commands that there are not. */
    FAILS(fcntl(p[0], 0x12345, 0), EINVAL);
    FAILS(fcntl(p[0], -1, 0), EINVAL);
    FAILS(fcntl(-1, F_GETFL), EBADF);
    FAILS(fcntl(p[0], F_SETLK, (void *)1), EFAULT);
    return 0;
}
