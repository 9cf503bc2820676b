/*
 * probes EXPECTED: does things that pass the probes of ioevent_probes(7), and writes into this file what they should
 * tell, one line each: `probe NAME ARGUMENTS`.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ioevent.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

static FILE *expected;

static __attribute__((format(printf, 1, 2))) void expect(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(expected, format, args);
    va_end(args);
    fputc('\n', expected);
    fflush(expected);
}

#define QUEUED(call)                                                            \
    do {                                                                        \
        if ((call) != -1 || errno != EIOEVENTQUEUED)                            \
            err(1, "%s", #call);                                                \
    } while (0)

static int pipe_fd;

/* The next event is this one. */
static void harvest(void *user, int result, int error)
{
    struct ioevent e;

    if (ioevent_wait(pipe_fd, &e, 1, NULL) != 1)
        err(1, "ioevent_wait");
    expect("probe harvest %d 1", pipe_fd);
    if (e.ioe_user != user || e.ioe_result != result || e.ioe_errno != error)
        errx(1, "another event than expected");
}

int main(int argc, char **argv)
{
    char buffer[8];
    void *a = (void *)0x51, *b = (void *)0x52, *c = (void *)0x53;
    struct ioevent_op timer = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_user = c, .ioo_timeout = { 0, 1 } };
    int fd[2], p = ioeventpipe(2), q = ioeventpipe2(1, O_NONBLOCK);

    pipe_fd = p;
    if (argc != 2 || !(expected = fopen(argv[1], "w")))
        errx(1, "usage: probes EXPECTED");
    if (p == -1 || q == -1 || socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == -1
        || ioevent_fcntl(fd[0], F_SETIOEVENTPIPE, p, a) == -1 || ioevent_fcntl(fd[1], F_SETIOEVENTPIPE, p, b) == -1)
        err(1, "preparations");
    for (int i = 0; i < 2; i++) { /* the second time by the fast path */
        QUEUED(ioevent_read(fd[0], buffer, sizeof buffer));
        expect("probe submit %d 0x51 1", fd[0]);
        QUEUED(ioevent_write(fd[1], "abc", 3));
        expect("probe submit %d 0x52 2", fd[1]);
        expect("probe complete %d 0x52 3 0", fd[1]);
        if (ioevent_read(fd[0], buffer, 1) != -1 || errno != EIOEVENTFULL)
            err(1, "it is not full");
        expect("probe full %d 2", p);
        for (int k = 0; k < 2; k++) { /* in any order: the library's own thread may have been quicker */
            struct ioevent e;

            if (ioevent_wait(p, &e, 1, NULL) != 1 || e.ioe_result != 3)
                err(1, "ioevent_wait");
            expect("probe harvest %d 1", p);
        }
        expect("probe complete %d 0x51 3 0", fd[0]);
    }
    timer.ioo_fd = p;
    if (ioevent_submit(&timer, 1) != 1)
        err(1, "ioevent_submit");
    expect("probe submit %d 0x53 10", p);
    harvest(c, 0, 0);
    expect("probe complete %d 0x53 0 0", p);

    if (ioevent_write(q, &(struct ioevent){ a, 1, 0 }, sizeof(struct ioevent)) != sizeof(struct ioevent))
        err(1, "ioevent_write");
    expect("probe wake %d", q);

    ioevent_close(fd[0]);
    QUEUED(ioevent_write(fd[1], "abc", 3));
    expect("probe submit %d 0x52 2", fd[1]);
    expect("probe complete %d 0x52 -1 %d", fd[1], EPIPE);
    harvest(b, -1, EPIPE);
    return 0;
}
