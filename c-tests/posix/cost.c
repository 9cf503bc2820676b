/* What a call costs more than libc's on a descriptor that is not attached: at most 15 instructions, fcntl 25. */
#include "steps.h"

#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/wait.h>

static char b[16];
static struct iovec iov = { b, 1 };
static struct mmsghdr mmsg = { { .msg_iov = &iov, .msg_iovlen = 1 }, 0 };
static int fd;
static siginfo_t info;

#define P(pointer) ((long)(pointer))

static const struct {
    const char *name;
    int at_most;
    long a[6];
} calls[] = {
    { "read", 15, { 9, P(b), 1 } }, { "__read", 15, { 9, P(b), 1 } }, { "write", 15, { 9, P(b), 1 } },
    { "readv", 15, { 9, P(&iov), 1 } }, { "writev", 15, { 9, P(&iov), 1 } },
    { "pread", 15, { 9, P(b), 1, 0 } }, { "pread64", 15, { 9, P(b), 1, 0 } }, { "pwrite", 15, { 9, P(b), 1, 0 } },
    { "preadv", 15, { 9, P(&iov), 1, 0 } }, { "pwritev", 15, { 9, P(&iov), 1, 0 } },
    { "preadv2", 15, { 9, P(&iov), 1, 0, 0 } }, { "pwritev2", 15, { 9, P(&iov), 1, 0, 0 } },
    { "recv", 15, { 9, P(b), 1, 0 } }, { "recvfrom", 15, { 9, P(b), 1, 0, 0, 0 } },
    { "recvmsg", 15, { 9, P(&mmsg), 0 } }, { "recvmmsg", 15, { 9, P(&mmsg), 1, 0, 0 } },
    { "send", 15, { 9, P(b), 1, 0 } }, { "sendto", 15, { 9, P(b), 1, 0, 0, 0 } },
    { "sendmsg", 15, { 9, P(&mmsg), 0 } }, { "sendmmsg", 15, { 9, P(&mmsg), 1, 0 } },
    { "accept", 15, { 9, 0, 0 } }, { "accept4", 15, { 9, 0, 0, 0 } }, { "connect", 15, { 9, 0, 0 } },
    { "sendfile", 15, { 9, 9, 0, 1 } }, { "splice", 15, { 9, 0, 9, 0, 1, 0 } }, { "tee", 15, { 9, 9, 1, 0 } },
    { "vmsplice", 15, { 9, P(&iov), 1, 0 } }, { "eventfd_read", 15, { 9, P(b) } }, { "eventfd_write", 15, { 9, 1 } },
    { "fsync", 15, { 9 } }, { "fdatasync", 15, { 9 } }, { "shutdown", 15, { 9, SHUT_WR } },
    { "waitid", 15, { P_PIDFD, 9, P(&info), WEXITED } }, { "waitid", 15, { P_ALL, 0, P(&info), WEXITED } },
    { "dup2", 15, { 9, 100 } }, { "dup3", 15, { 9, 100, O_CLOEXEC } }, { "close", 15, { 100 } },
    { "close", 15, { 200 } }, { "close_range", 15, { 200, 300, 0 } }, { "closefrom", 15, { 200 } },
    { "fcntl", 25, { 9, F_GETFL } }, { "fcntl", 25, { 9, F_SETFD, FD_CLOEXEC } }, { "fcntl64", 25, { 9, F_GETFD } },
    { "__read_chk", 15, { 9, P(b), 1, 8 } }, { "__recvfrom_chk", 15, { 9, P(b), 1, 8, 0, 0 } },
};

enum { CALLS = sizeof calls / sizeof *calls };

static void count(void)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);

    CHECK(libc);
    for (int i = 0; i < CALLS; i++)
        for (int own = 0; own < 2; own++) {
            const long *a = calls[i].a;
            void *function = dlsym(own ? libc : RTLD_DEFAULT, calls[i].name);

            CHECK(function);
            steps_of(function, a[0], a[1], a[2], a[3], a[4], a[5], NULL);
        }
}

int main(void)
{
    int status = 0;

    fd = OK(open("/dev/zero", O_RDWR));
    GIVES(dup2(fd, 9), 9);
    count_steps(count);
    GIVES(nsteps, 2 * CALLS);
    for (int i = 0; i < CALLS; i++) {
        long plain = steps[2 * i], libcs = steps[2 * i + 1];

        dprintf(1, "%-15s %3ld, libc's own %3ld: %+ld\n", calls[i].name, plain, libcs, plain - libcs);
        if (libcs < 3 || plain - libcs > calls[i].at_most)
            status = 1;
    }
    return status;
}
