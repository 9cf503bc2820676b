/*
 * What the tests share that close descriptors nobody knows of and reuse their numbers: the program's own files, put on
 * numbers, with a check that nobody has closed, read, written, armed or changed them.
 */
#ifndef TEST_FDS_H
#define TEST_FDS_H

#include "test.h"
#include <linux/kcmp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

enum { OWN_MEMFD, OWN_PIPE, OWN_EVENTFD, OWN_TIMERFD, OWN_EPOLL, OWN_SOCKET, OWN_KINDS };
enum { OWN_MOST = 1024, OWN_TWIN = 4096, OWN_OTHER = 2048 };

/* A number with a file of the program's on it; a twin of it, and its other end, lie at numbers far above. */
static struct {
    bool used;
    int kind, twin, other;
} own[OWN_MOST];

static int own_shift; /* which number has which kind */

static inline void want_numbers(void)
{
    struct rlimit limit;

    NEEDS_PROC();
    OK(getrlimit(RLIMIT_NOFILE, &limit));
    if (limit.rlim_max < 3 * OWN_TWIN)
        SKIP("too few descriptors allowed");
    limit.rlim_cur = limit.rlim_max;
    OK(setrlimit(RLIMIT_NOFILE, &limit));
}

static inline bool is_open(int n)
{
    return fcntl(n, F_GETFD) != -1;
}

/* The two numbers have the same open file; true, too, where that cannot be known. */
static inline bool same_file(int a, int b)
{
    pid_t self = getpid();
    struct stat s, t;

    if (fstat(a, &s) == -1 || fstat(b, &t) == -1 || s.st_ino != t.st_ino || s.st_dev != t.st_dev)
        return false;
    return syscall(SYS_kcmp, self, self, KCMP_FILE, a, b) <= 0;
}

static inline int own_watched(void)
{
    static int fd = -1;

    if (fd == -1)
        fd = OK(fcntl(OK(eventfd(0, EFD_CLOEXEC)), F_DUPFD_CLOEXEC, OWN_TWIN * 2));
    return fd;
}

/* Puts a file of the program's on a number that is free. Async-signal-safe. */
static inline void own_put(int n)
{
    int kind = (n + own_shift) % OWN_KINDS, fd[2] = { -1, -1 };
    struct epoll_event watch = { .events = EPOLLIN, .data.u64 = 4711 };

    CHECK(n < OWN_MOST && !is_open(n));
    switch (kind) {
    case OWN_MEMFD:
        fd[0] = OK(memfd_create("own", MFD_CLOEXEC));
        OK(write(fd[0], "own", 3));
        break;
    case OWN_PIPE:
        OK(pipe2(fd, O_CLOEXEC));
        OK(write(fd[1], "own", 3));
        break;
    case OWN_EVENTFD:
        fd[0] = OK(eventfd(5, EFD_CLOEXEC | EFD_NONBLOCK));
        break;
    case OWN_TIMERFD:
        fd[0] = OK(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
        break;
    case OWN_EPOLL:
        fd[0] = OK(epoll_create1(EPOLL_CLOEXEC));
        OK(epoll_ctl(fd[0], EPOLL_CTL_ADD, own_watched(), &watch));
        break;
    default:
        OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd));
        OK(write(fd[1], "own", 3));
    }
    own[n].kind = kind;
    own[n].twin = OK(fcntl(fd[0], F_DUPFD_CLOEXEC, OWN_TWIN));
    own[n].other = -1;
    if (fd[1] != -1) {
        own[n].other = OK(fcntl(fd[1], F_DUPFD_CLOEXEC, OWN_OTHER));
        OK(close(fd[1]));
    }
    if (fd[0] != n) {
        OK(dup3(fd[0], n, O_CLOEXEC));
        OK(close(fd[0]));
    }
    own[n].used = true;
}

/* Puts files on all numbers from low to high (not with it) that are free, but for one. */
static inline void own_fill(int low, int high, int but)
{
    own_watched();
    for (int n = low; n < high; n++)
        if (n != but && !is_open(n))
            own_put(n);
}

static inline size_t own_length(int fd)
{
    int n = -1;

    OK(ioctl(fd, FIONREAD, &n));
    return (size_t)n;
}

/* How many files an epoll instance watches. */
static inline int own_watches(int fd)
{
    char path[64], text[4096], *at = text;
    int info, n = 0;
    ssize_t length;

    NEEDS_PROC();
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    info = OK(open(path, O_RDONLY | O_CLOEXEC));
    length = OK(read(info, text, sizeof text - 1));
    text[length] = 0;
    OK(close(info));
    while ((at = strstr(at, "tfd:"))) {
        at++;
        n++;
    }
    return n;
}

__attribute__((noreturn))
static inline void own_fail(int n, const char *what)
{
    static const char *const kinds[] = { "file", "pipe", "eventfd", "timerfd", "epoll", "socket" };

    dprintf(2, "number %d, the program's own %s: %s\n", n, kinds[own[n].kind], what);
    _exit(1);
}

/* Nothing was done to any of the files. */
static inline void own_check(void)
{
    for (int n = 0; n < OWN_MOST; n++) {
        int twin = own[n].twin;
        struct itimerspec armed;
        struct epoll_event seen[4];
        struct stat st;
        uint64_t count;

        if (!own[n].used)
            continue;
        if (!is_open(n))
            own_fail(n, "is closed");
        if (!same_file(n, twin))
            own_fail(n, "is another file now");
        if (fcntl(n, F_GETFD) != FD_CLOEXEC)
            own_fail(n, "has other descriptor flags");
        switch (own[n].kind) {
        case OWN_MEMFD:
            OK(fstat(n, &st));
            if (st.st_size != 3 || lseek(n, 0, SEEK_CUR) != 3)
                own_fail(n, "was read or written");
            break;
        case OWN_PIPE:
        case OWN_SOCKET:
            if (own_length(n) != 3)
                own_fail(n, "was read");
            if (fcntl(n, F_GETFL) & O_NONBLOCK)
                own_fail(n, "does not block any more");
            if (own[n].kind == OWN_SOCKET && own_length(own[n].other) != 0)
                own_fail(n, "was written");
            break;
        case OWN_EVENTFD:
            GIVES(read(n, &count, sizeof count), sizeof count);
            if (count != 5)
                own_fail(n, "was written");
            OK(write(n, &count, sizeof count));
            break;
        case OWN_TIMERFD:
            OK(timerfd_gettime(n, &armed));
            if (armed.it_value.tv_sec || armed.it_value.tv_nsec || armed.it_interval.tv_sec)
                own_fail(n, "was armed");
            if (read(n, &count, sizeof count) != -1)
                own_fail(n, "has expired");
            break;
        default:
            if (own_watches(n) != 1)
                own_fail(n, "watches another file");
            count = 1;
            OK(write(own_watched(), &count, sizeof count));
            if (epoll_wait(n, seen, 4, 0) != 1 || seen[0].data.u64 != 4711)
                own_fail(n, "does not watch its file any more");
            GIVES(read(own_watched(), &count, sizeof count), sizeof count);
        }
    }
}

/* The processor time of the process in a while; on a slow machine the mean of some such. */
static inline long long own_cpu(long long while_ns)
{
    long long ns = while_ns * test_slowness();
    struct timespec before, after, t = { ns / 1000000000, ns % 1000000000 };

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    while (nanosleep(&t, &t) == -1)
        continue;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    return ((after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec) / test_slowness();
}

/* A new pipe, with all that one has: reads, writes, timers, transfers, files. */
static inline void pipe_works(int p)
{
    int s[2], f[2], file = OK(memfd_create("test", MFD_CLOEXEC));
    char b[16];
    struct ioevent_op timer = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_user = USER(9),
                                .ioo_timeout = { 0, 5000000 } };
    struct ioevent posted = { USER(8), 8, 0 };

    unix_pair(s);
    OK(pipe2(f, O_CLOEXEC));
    ATTACH(s[0], p, 1);
    ATTACH(f[0], p, 2);
    ATTACH(file, p, 3);
    QUEUED(ioevent_read(s[0], b, sizeof b));
    QUEUED(ioevent_read(f[0], b + 8, 8));
    QUIET(p);
    OK(write(s[1], "abc", 3));
    EXPECT(p, 1, 3, 0);
    OK(write(f[1], "defg", 4));
    EXPECT(p, 2, 4, 0);
    QUEUED(ioevent_splice(f[0], NULL, s[0], NULL, 16, 0));
    OK(write(f[1], "defg", 4));
    EXPECT(p, 1, 4, 0);
    QUEUED(ioevent_pwrite(file, "file", 4, 0));
    EXPECT(p, 3, 4, 0);
    QUEUED(ioevent_fsync(file));
    EXPECT(p, 3, 0, 0);
    QUEUED(ioevent_pread(file, b, 8, 0));
    EXPECT(p, 3, 4, 0);
    GIVES(ioevent_submit(&timer, 1), 1);
    EXPECT(p, 9, 0, 0);
    GIVES(ioevent_write(p, &posted, sizeof posted), sizeof posted);
    EXPECT(p, 8, 8, 0);
    QUEUED(ioevent_read(s[0], b, sizeof b));
    GIVES(ioevent_cancel(s[0]), 1);
    EXPECT(p, 1, -1, ECANCELED);
    GIVES(ioevent_close(s[0]), 0);
    GIVES(ioevent_close(f[0]), 0);
    GIVES(ioevent_close(file), 0);
    OK(close(s[1]));
    OK(close(f[1]));
}

#endif
