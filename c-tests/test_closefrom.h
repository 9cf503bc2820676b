/* What the tests of programs that close all descriptors share: pipes with work outstanding. */
#ifndef TEST_CLOSEFROM_H
#define TEST_CLOSEFROM_H

#include "test_fds.h"

enum {
    WITH_SOCKET = 1, WITH_FIFO = 2, WITH_SPLICE = 4, WITH_TIMERS = 8, WITH_FILE = 16, WITH_PTY = 32, WITH_NONBLOCK = 64,
    WITH_MORE_PIPES = 128, WITH_ALL = 255
};

enum { PIPES = 3 };

static int pipes[PIPES], npipes; /* the pipes that are to be lost */
static int attached_one = -1;    /* a number that is attached to the first of them */
static char lost_buffers[8][64]; /* what their operations read into */

static inline void one_timer(int p, uintptr_t user, long long ns)
{
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_user = USER(user),
                             .ioo_timeout = { ns / 1000000000, ns % 1000000000 } };

    GIVES(ioevent_submit(&op, 1), 1);
}

static inline void fifo_ends(int end[2])
{
    const char *dir = getenv("TMPDIR");
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/ioevent-fifo-%d", dir && *dir ? dir : "/tmp", getpid());
    OK(mkfifo(path, 0600));
    end[0] = OK(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    end[1] = OK(open(path, O_WRONLY | O_CLOEXEC));
    set_nonblock(end[0], false);
    OK(unlink(path));
}

static inline void close_from(unsigned first)
{
    if (syscall(SYS_close_range, first, ~0u, 0) == -1) {
        if (errno != ENOSYS)
            CHECK(!"close_range");
        for (int n = (int)first; n < 65536; n++)
            close(n);
    }
}

/* Makes pipes with operations that wait, in a process that has nothing else open. */
static inline void begin_work(int with)
{
    int fd[2], to[2], p;

    close_from(3);
    npipes = with & WITH_MORE_PIPES ? PIPES : 1;
    for (int i = 0; i < npipes; i++)
        pipes[i] = OK(ioeventpipe2(32, (with & WITH_NONBLOCK) && i % 2 == 0 ? O_NONBLOCK : 0));
    p = pipes[npipes - 1];
    unix_pair(fd);
    attached_one = fd[0];
    ATTACH(fd[0], pipes[0], 1);
    if (with & WITH_SOCKET) {
        QUEUED(ioevent_read(fd[0], lost_buffers[0], 64));
        unix_pair(fd);
        ATTACH(fd[0], p, 1);
        QUEUED(ioevent_read(fd[0], lost_buffers[1], 64));
        QUEUED(ioevent_poll(fd[0], POLLPRI));
    }
    if (with & WITH_FIFO) {
        fifo_ends(fd);
        ATTACH(fd[0], p, 2);
        QUEUED(ioevent_read(fd[0], lost_buffers[2], 64));
        OK(pipe2(fd, O_CLOEXEC));
        ATTACH(fd[0], pipes[0], 2);
        QUEUED(ioevent_read(fd[0], lost_buffers[3], 64));
    }
    if (with & WITH_SPLICE) {
        OK(pipe2(fd, O_CLOEXEC));
        unix_pair(to);
        ATTACH(fd[0], p, 3);
        QUEUED(ioevent_splice(fd[0], NULL, to[0], NULL, 100, 0));
        OK(pipe2(fd, O_CLOEXEC));
        unix_pair(to);
        ATTACH(to[0], pipes[0], 3);
        QUEUED(ioevent_splice(fd[0], NULL, to[0], NULL, 100, 0));
    }
    if (with & WITH_FILE) {
        int file = OK(memfd_create("test", MFD_CLOEXEC));

        ATTACH(file, pipes[0], 5);
        QUEUED(ioevent_write(file, "file", 4));
        QUEUED(ioevent_fsync(file));
        EXPECT(pipes[0], 5, 4, 0);
        EXPECT(pipes[0], 5, 0, 0);
    }
    if (with & WITH_PTY) {
        int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;

        if (master != -1 && grantpt(master) == 0 && unlockpt(master) == 0) {
            slave = OK(open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC));
            ATTACH(slave, p, 6);
            QUEUED(ioevent_read(slave, lost_buffers[4], 64));
        }
    }
    QUIET(pipes[0]);
    QUIET(p);
    /* Last: on a slow machine they may be over soon. */
    if (with & WITH_TIMERS)
        for (int i = 0; i < npipes; i++) {
            one_timer(pipes[i], 4, 3600000000000);
            one_timer(pipes[i], 4, 60000000);
            one_timer(pipes[i], 4, 120000000);
        }
}

/* What is called on the number of a lost pipe, which is not open, says EBADF. */
static inline void says_ebadf(int p, int fd)
{
    struct ioevent e = { USER(1), 1, 1 };
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_timeout = { 0, 1000000 } };
    struct timespec t = { 0, 1000000 };

    FAILS(ioevent_wait(p, &e, 1, &no_wait), EBADF);
    FAILS(ioevent_wait(p, &e, 1, &t), EBADF);
    FAILS(ioevent_wait(p, &e, 1, NULL), EBADF);
    FAILS(ioevent_read(p, &e, sizeof e), EBADF);
    FAILS(ioevent_write(p, &e, sizeof e), EBADF);
    FAILS(ioevent_fcntl(fd, F_SETIOEVENTPIPE, p, (void *)NULL), EBADF);
    FAILS(ioevent_submit(&op, 1), EBADF);
    FAILS(ioevent_cancel(p), EBADF);
    FAILS(ioevent_cancel2(p, IOEVENT_CANCEL_ALL, NULL), EBADF);
    FAILS(ioevent_fcntl(p, F_GETIOEVENTCNT), EBADF);
    FAILS(ioevent_fcntl(p, F_SETIOEVENTSZ, 5), EBADF);
    FAILS(ioevent_close(p), EBADF);
    FAILS(ioevent_wait(p, &e, 1, &no_wait), EBADF);
}

/* Runs something in a process of its own, which has never used the library; it fails if it does not end in time. */
#define IN_CHILD(call)                                                          \
    do {                                                                        \
        pid_t pid_;                                                             \
        TEST_HERE(#call);                                                       \
        if (child(&pid_)) {                                                     \
            alarm((unsigned)test_timeout() / 3 + 1);                            \
            call;                                                               \
            _exit(0);                                                           \
        }                                                                       \
        int status_ = -1;                                                       \
        GIVES(waitpid(pid_, &status_, 0), pid_);                                \
        if (status_ != 0)                                                       \
            test_fail(&test_place_, 0, "with %#x on %d, status %#x", (unsigned)with, test_variant, status_); \
    } while (0)

static int test_variant; /* for the message */

#endif
