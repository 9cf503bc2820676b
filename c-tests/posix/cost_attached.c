/*
 * What plain names cost more than the ioevent_ names on an attached descriptor and on a pipe: at most 10 instructions; and
 * more than libc's on one that is not attached, where another is: at most 15, fcntl 25.
 */
#include "steps.h"

#include <dlfcn.h>
#include <ioevent.h>
#include <sys/socket.h>

static int p, s[2], zero;
static char b[16];
static struct iovec iov = { b, 1 };
static struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
static struct ioevent ev[4];

/* What is queued is ended, and harvested. */
static void again(void)
{
    ioevent_cancel(s[0]);
    fcntl(p, F_SETFL, O_NONBLOCK);
    while (ioevent_read(p, ev, sizeof ev) > 0)
        ;
    while (recv(s[1], b, sizeof b, MSG_DONTWAIT) > 0)
        ;
}

static struct {
    const char *name;
    int is_attached, at_most;
    long a[6];
} calls[] = {
    { "read", 1, 10, { -1, (long)b, 1 } }, { "recv", 1, 10, { -1, (long)b, 1, 0 } },
    { "readv", 1, 10, { -1, (long)&iov, 1 } }, { "recvmsg", 1, 10, { -1, (long)&msg, 0 } },
    { "write", 1, 10, { -1, (long)b, 1 } }, { "send", 1, 10, { -1, (long)b, 1, 0 } },
    { "writev", 1, 10, { -1, (long)&iov, 1 } }, { "sendmsg", 1, 10, { -1, (long)&msg, 0 } },
    { "fcntl", 1, 10, { -1, F_GETIOEVENTFLAGS } }, { "shutdown", 1, 10, { -1, 77 } },
    { "read", 2, 10, { -1, (long)ev, sizeof ev } }, { "readv", 2, 10, { -1, (long)&iov, 1 } },
    { "read", 0, 15, { -1, (long)b, 1 } }, { "write", 0, 15, { -1, (long)b, 1 } },
    /* accept has to look at the number that comes out. */
    { "recvmsg", 0, 15, { -1, (long)&msg, 0 } }, { "accept", 0, 40, { -1, 0, 0 } },
    { "accept4", 0, 40, { -1, 0, 0, 0 } }, { "connect", 0, 15, { -1, 0, 0 } }, { "dup2", 0, 15, { -1, 100 } },
    { "close", 0, 15, { 100 } }, { "fcntl", 0, 25, { -1, F_GETFL } }, { "fsync", 0, 15, { -1 } },
};

enum { CALLS = sizeof calls / sizeof *calls };

static void count(void)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);

    CHECK(libc);
    zero = OK(open("/dev/zero", O_RDWR));
    p = OK(ioeventpipe(8));
    GIVES(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    GIVES(fcntl(s[0], F_SETIOEVENTPIPE, p, (void *)0), 0);
    for (int i = 0; i < CALLS; i++)
        for (int other = 0; other < 2; other++) {
            const long *a = calls[i].a;
            int numbers[] = { zero, s[0], p };
            char name[40];
            void *function;

            snprintf(name, sizeof name, "%s%s", other && calls[i].is_attached ? "ioevent_" : "", calls[i].name);
            function = dlsym(other && !calls[i].is_attached ? libc : RTLD_DEFAULT, name);
            CHECK(function);
            again();
            steps_of(function, a[0] == -1 ? numbers[calls[i].is_attached] : a[0], a[1], a[2], a[3], a[4], a[5], again);
        }
}

int main(void)
{
    int status = 0;

    /* What is the library's is counted until its function begins: how long that takes may depend on its threads. */
    for (int i = 0; i < CALLS; i++) {
        char name[40];

        snprintf(name, sizeof name, "ioevent_%s", calls[i].name);
        if (calls[i].is_attached)
            CHECK((steps_as_far_as[2 * i] = steps_as_far_as[2 * i + 1] = (uintptr_t)dlsym(RTLD_DEFAULT, name)) != 0);
    }
    count_steps(count);
    GIVES(nsteps, 2 * CALLS);
    for (int i = 0; i < CALLS; i++) {
        static const char *const what[] = { "not attached", "attached", "a pipe" };
        long plain = steps[2 * i], others = steps[2 * i + 1];

        dprintf(1, "%-10s %4ld, %s %4ld: %+ld, %s\n", calls[i].name, plain, calls[i].is_attached ? "ioevent_" : "libc's own",
            others, plain - others, what[calls[i].is_attached]);
        if (others < 3 || plain - others > calls[i].at_most)
            status = 1;
    }
    return status;
}
