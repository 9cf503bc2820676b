/*
 * What the C tests share: checks that say where they failed, a watchdog that says where a test hangs, and small
 * helpers. One test is one program: it ends with 0 when it passed, 1 when it failed, 77 when it cannot run here.
 *
 * TEST_TIMEOUT=seconds   how long the watchdog waits (60); slow tools such as valgrind want more
 */
#ifndef TEST_H
#define TEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ioevent.h>

/* ---- where each thread is ---- */

struct test_place {
    const char *file;
    int line;
    const char *what;
};

struct test_slot {
    pid_t tid;
    const struct test_place *place;
};

enum { TEST_SLOTS = 64 };

static struct test_slot test_slots[TEST_SLOTS];
static int test_nslots;
static __thread struct test_slot *test_slot;

static inline void test_here(const struct test_place *place)
{
    if (!test_slot) {
        int i = __atomic_fetch_add(&test_nslots, 1, __ATOMIC_SEQ_CST);
        test_slot = &test_slots[i < TEST_SLOTS ? i : TEST_SLOTS - 1];
        __atomic_store_n(&test_slot->tid, gettid(), __ATOMIC_SEQ_CST);
    }
    __atomic_store_n(&test_slot->place, place, __ATOMIC_SEQ_CST);
}

#define TEST_HERE(text)                                                         \
    static const struct test_place test_place_ = { __FILE__, __LINE__, text };  \
    test_here(&test_place_)

__attribute__((noreturn, format(printf, 3, 4)))
static inline void test_fail(const struct test_place *place, int err, const char *format, ...)
{
    char text[512];
    va_list args;
    int old;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old); /* a cancelled thread shall say it, too */
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    dprintf(2, "%s:%d: %s: %s; errno %d (%s)\n", place->file, place->line, place->what, text, err,
            ioevent_strerror(err));
    _exit(1);
}

/* ---- the watchdog ---- */

static sem_t test_over;
static pthread_t test_watcher;
static pid_t test_pid;

static inline int test_timeout(void)
{
    const char *s = getenv("TEST_TIMEOUT");
    int seconds = s ? atoi(s) : 0;

    return seconds > 0 ? seconds : 60;
}

/* How many times longer than usual something is looked at where all takes longer (a machine that is emulated): 1 as a rule. */
static inline int test_slowness(void)
{
    return test_timeout() < 120 ? 1 : test_timeout() / 60;
}

static inline void test_show_file(pid_t tid, const char *name)
{
    char path[64], line[256];
    int fd;
    ssize_t n;

    snprintf(path, sizeof path, "/proc/self/task/%d/%s", tid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
    if (fd >= 0)
        close(fd);
    while (n > 0 && line[n - 1] == '\n')
        n--;
    dprintf(2, " %s %.*s;", name, (int)(n > 0 ? n : 1), n > 0 ? line : "?");
}

/* What every thread of the process is at, those of the library too. Takes no memory, which a thread that hangs may have locked. */
static inline void test_show_threads(void)
{
    char entries[4096];
    int dir = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long n;

    while (dir >= 0 && (n = syscall(SYS_getdents64, dir, entries, sizeof entries)) > 0)
        for (long at = 0; at < n;) {
            const struct dirent64 *entry = (const void *)(entries + at);
            pid_t tid = atoi(entry->d_name);

            at += entry->d_reclen;
            if (tid <= 0)
                continue;
            dprintf(2, "  thread %d:", tid);
            test_show_file(tid, "comm");
            test_show_file(tid, "wchan");
            test_show_file(tid, "syscall");
            dprintf(2, "\n");
        }
}

static inline void *test_watch(void *unused)
{
    struct timespec end;

    (void)unused;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += test_timeout();
    while (sem_clockwait(&test_over, CLOCK_MONOTONIC, &end) != 0) {
        if (errno != ETIMEDOUT)
            continue;
        dprintf(2, "watchdog: still running after %d s\n", test_timeout());
        for (int i = 0; i < TEST_SLOTS; i++) {
            const struct test_place *place = __atomic_load_n(&test_slots[i].place, __ATOMIC_SEQ_CST);
            pid_t tid = __atomic_load_n(&test_slots[i].tid, __ATOMIC_SEQ_CST);

            if (!place)
                continue;
            dprintf(2, "  thread %d at %s:%d: %s\n", tid, place->file, place->line, place->what);
        }
        test_show_threads();
        _exit(1);
    }
    return NULL;
}

__attribute__((constructor))
static void test_start(void)
{
    sigset_t all, old;

    test_pid = getpid();
    sem_init(&test_over, 0, 0);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old); /* the signals of a test are not for the watchdog */
    if (pthread_create(&test_watcher, NULL, test_watch, NULL) != 0)
        _exit(1);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

__attribute__((destructor))
static void test_end(void)
{
    if (getpid() != test_pid)
        return;
    sem_post(&test_over);
    pthread_join(test_watcher, NULL);
}

/* ---- checks ---- */

/* A user pointer from a number or a pointer. */
#define USER(u) ((void *)(uintptr_t)(u))

#define CHECK(condition)                                                        \
    do {                                                                        \
        TEST_HERE(#condition);                                                  \
        if (!(condition))                                                       \
            test_fail(&test_place_, errno, "is false");                         \
    } while (0)

/* Two integers are equal. */
#define SAME(a, b)                                                              \
    do {                                                                        \
        TEST_HERE(#a " is " #b);                                                \
        long long a_ = (long long)(a), b_ = (long long)(b);                     \
        if (a_ != b_)                                                           \
            test_fail(&test_place_, errno, "%lld is not %lld", a_, b_);         \
    } while (0)

/* The call succeeds; its result is the value. */
#define OK(call)                                                                \
    ({                                                                          \
        TEST_HERE(#call);                                                       \
        __typeof__(call) r_ = (call);                                           \
        if (r_ == (__typeof__(call))-1)                                         \
            test_fail(&test_place_, errno, "failed");                           \
        r_;                                                                     \
    })

/* The call gives this result. */
#define GIVES(call, result)                                                     \
    do {                                                                        \
        TEST_HERE(#call);                                                       \
        long long r_ = (long long)(call), e_ = (long long)(result);             \
        if (r_ != e_)                                                           \
            test_fail(&test_place_, errno, "gave %lld, not %lld", r_, e_);      \
    } while (0)

/* The call gives -1 and this errno. */
#define FAILS(call, error)                                                      \
    do {                                                                        \
        TEST_HERE(#call);                                                       \
        errno = 0;                                                              \
        long long r_ = (long long)(call);                                       \
        if (r_ != -1 || errno != (error))                                       \
            test_fail(&test_place_, errno, "gave %lld, not -1 with errno %d (%s)", r_, (error), #error); \
    } while (0)

/* The operation is queued. */
#define QUEUED(call) FAILS(call, EIOEVENTQUEUED)

/* A pthread function gives 0. */
#define ZERO(call)                                                              \
    do {                                                                        \
        TEST_HERE(#call);                                                       \
        int r_ = (call);                                                        \
        if (r_ != 0)                                                            \
            test_fail(&test_place_, r_, "failed");                              \
    } while (0)

#define SKIP(why)                                                               \
    do {                                                                        \
        fprintf(stderr, "skipped: %s\n", why);                                  \
        exit(77);                                                               \
    } while (0)

/* ---- pipes and events ---- */

static inline struct timespec test_long(void)
{
    return (struct timespec){ .tv_sec = test_timeout() / 2 + 1 };
}

static const struct timespec no_wait = { 0, 0 };

#define ATTACH(fd, p, user) GIVES(ioevent_fcntl(fd, F_SETIOEVENTPIPE, (int)(p), USER(user)), 0)
#define DETACH(fd)          GIVES(ioevent_fcntl(fd, F_SETIOEVENTPIPE, -1, (void *)NULL), 0)

/* The descriptor is attached to this pipe (-1: to none) with this user pointer. */
#define ATTACHED(fd, p, user)                                                   \
    do {                                                                        \
        int p_ = -77;                                                           \
        void *u_ = USER(77);                                                    \
        GIVES(ioevent_fcntl(fd, F_GETIOEVENTPIPE, &p_, &u_), 0);                \
        SAME(p_, p);                                                            \
        SAME((uintptr_t)u_, (uintptr_t)(user));                                 \
    } while (0)

static inline struct ioevent test_harvest(const struct test_place *place, int p)
{
    struct ioevent event = { USER(0x5a5a), -123456, -123456 };
    struct timespec timeout = test_long();
    int n;

    do
        n = ioevent_wait(p, &event, 1, &timeout);
    while (n == -1 && errno == EINTR);
    if (n != 1)
        test_fail(place, errno, n == 0 ? "no event came" : "the harvest gave %d", n);
    return event;
}

/* The next event of a pipe; fails if there is none for a long time. */
#define HARVEST(p) ({ TEST_HERE("harvest of " #p); test_harvest(&test_place_, p); })

static inline void test_expect(const struct test_place *place, int p, void *user, long result, int err)
{
    struct ioevent e = test_harvest(place, p);

    if (e.ioe_user != user || e.ioe_result != result || e.ioe_errno != err)
        test_fail(place, e.ioe_errno, "the event is user %p result %d errno %d, not user %p result %ld errno %d",
                  e.ioe_user, e.ioe_result, e.ioe_errno, user, result, err);
}

/* The next event of the pipe is this one. */
#define EXPECT(p, user, result, err)                                            \
    do {                                                                        \
        TEST_HERE("event of " #p ": " #user ", " #result ", " #err);            \
        test_expect(&test_place_, p, USER(user), result, err);                  \
    } while (0)

/* There is no event now. */
#define QUIET(p)                                                                \
    do {                                                                        \
        struct ioevent q_;                                                      \
        GIVES(ioevent_wait(p, &q_, 1, &no_wait), 0);                            \
    } while (0)

/* There is no event now, nor shortly after: what would come twice has time to come. */
#define STAYS_QUIET(p)                                                          \
    do {                                                                        \
        struct ioevent q_;                                                      \
        struct timespec t_ = { 0, 30000000 };                                   \
        GIVES(ioevent_wait(p, &q_, 1, &t_), 0);                                 \
    } while (0)

/* The call fails with this errno, at once or in an event; never both (rule 2.6). */
#define EITHER(call, p, user, err)                                              \
    do {                                                                        \
        TEST_HERE(#call);                                                       \
        errno = 0;                                                              \
        long long r_ = (long long)(call);                                       \
        if (r_ != -1 || (errno != EIOEVENTQUEUED && errno != (err)))            \
            test_fail(&test_place_, errno, "gave %lld, not an error nor queued", r_); \
        if (errno == EIOEVENTQUEUED)                                            \
            test_expect(&test_place_, p, USER(user), -1, err);                  \
        QUIET(p);                                                               \
    } while (0)

/* ---- descriptors ---- */

static inline void set_nonblock(int fd, bool on)
{
    int flags = OK(fcntl(fd, F_GETFL));

    OK(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}

static inline void unix_pair(int fd[2])
{
    OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd));
}

struct address {
    struct sockaddr_storage storage;
    socklen_t length;
};

#define SOCKADDR(a) ((struct sockaddr *)&(a)->storage)

/* A socket bound to a loopback address with a port of its own; -1 if there is no such family here. */
static inline int bound_socket(int family, int type, struct address *address)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&address->storage;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address->storage;
    int s = socket(family, type | SOCK_CLOEXEC, 0);

    if (s == -1 && errno == EAFNOSUPPORT)
        return -1;
    OK(s);
    memset(address, 0, sizeof *address);
    if (family == AF_INET6) {
        in6->sin6_family = AF_INET6;
        in6->sin6_addr = in6addr_loopback;
        address->length = sizeof *in6;
    } else if (family == AF_INET) {
        in->sin_family = AF_INET;
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address->length = sizeof *in;
    } else { /* AF_UNIX: a name the kernel chooses */
        address->storage.ss_family = AF_UNIX;
        address->length = sizeof(sa_family_t);
    }
    if (bind(s, SOCKADDR(address), address->length) == -1) {
        CHECK(family == AF_INET6 && (errno == EADDRNOTAVAIL || errno == EACCES || errno == EPERM));
        close(s);
        return -1;
    }
    address->length = sizeof address->storage;
    OK(getsockname(s, SOCKADDR(address), &address->length));
    return s;
}

static inline int listener(int family, int backlog, struct address *address)
{
    int s = bound_socket(family, SOCK_STREAM, address);

    if (s >= 0)
        OK(listen(s, backlog));
    return s;
}

/* Two connected stream sockets over loopback; false if there is no such family here. */
static inline bool tcp_pair(int family, int fd[2])
{
    struct address address;
    int l = listener(family, 1, &address), one = 1;

    if (l == -1)
        return false;
    fd[0] = OK(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    OK(connect(fd[0], SOCKADDR(&address), address.length));
    fd[1] = OK(accept4(l, NULL, NULL, SOCK_CLOEXEC));
    OK(close(l));
    if (family != AF_UNIX) {
        OK(setsockopt(fd[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
        OK(setsockopt(fd[1], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
    }
    return true;
}

/* The byte streams that most tests go over: fd[0] reads what fd[1] writes. */
enum stream { STREAM_UNIX, STREAM_TCP4, STREAM_TCP6, STREAM_PIPE, STREAMS };

static inline bool stream_pair(int which, int fd[2])
{
    switch (which) {
    case STREAM_UNIX:
        unix_pair(fd);
        return true;
    case STREAM_TCP4:
        return tcp_pair(AF_INET, fd);
    case STREAM_TCP6:
        return tcp_pair(AF_INET6, fd);
    default:
        OK(pipe2(fd, O_CLOEXEC));
        return true;
    }
}

/* Writes until the descriptor takes no more; returns how much that was. */
static inline size_t fill_up(int fd)
{
    static char block[4096];
    size_t total = 0;
    ssize_t n;
    int flags = OK(fcntl(fd, F_GETFL));

    OK(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
    for (size_t size = sizeof block; size; size /= 2)
        while ((n = write(fd, block, size)) > 0)
            total += (size_t)n;
    CHECK(errno == EAGAIN);
    OK(fcntl(fd, F_SETFL, flags));
    return total;
}

/* The same for good: over TCP some of it is still on its way for a moment, and then makes room. */
static inline size_t fill_up_for_good(int fd)
{
    size_t total = fill_up(fd), n;
    int domain = AF_UNIX;

    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &(socklen_t){ sizeof domain });
    if (domain == AF_UNIX)
        return total;
    do {
        nanosleep(&(struct timespec){ 0, 250000000 }, NULL);
        n = fill_up(fd);
        total += n;
    } while (n > 0);
    return total;
}

/*
 * A stream of sockets that is full for sendfile and splice, too, once it was filled up. Before Linux 6.5 AF_UNIX is
 * none: they put their bytes into the last message of its queue, with no look at how much is there, and a blocking call
 * does not wait.
 */
static inline int fillable(void)
{
    int fd[2], file = OK(memfd_create("one byte", MFD_CLOEXEC));
    ssize_t n;

    unix_pair(fd);
    OK(ftruncate(file, 1));
    fill_up(fd[0]);
    set_nonblock(fd[0], true);
    n = sendfile(fd[0], file, NULL, 1);
    CHECK(n == 1 || (n == -1 && errno == EAGAIN));
    OK(close(file));
    OK(close(fd[0]));
    OK(close(fd[1]));
    return n == 1 ? STREAM_TCP4 : STREAM_UNIX;
}

/* Reads exactly n bytes with read(2). */
static inline void read_all(int fd, void *buffer, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t r = read(fd, (char *)buffer + done, n - done);

        CHECK(r > 0);
        done += (size_t)r;
    }
}

/* Reads exactly n bytes with read(2) and forgets them: what comes behind them stays. */
static inline void skip(int fd, size_t n)
{
    char block[4096];

    for (size_t piece; n > 0; n -= piece) {
        piece = n < sizeof block ? n : sizeof block;
        read_all(fd, block, piece);
    }
}

/* Reads what is there now and forgets it; returns how much that was. */
static inline size_t drain(int fd)
{
    static char block[65536];
    size_t total = 0;
    ssize_t n;
    struct pollfd ready = { .fd = fd, .events = POLLIN };

    while (poll(&ready, 1, 0) == 1 && (ready.revents & POLLIN) && (n = read(fd, block, sizeof block)) > 0)
        total += (size_t)n;
    return total;
}

/* The peer has closed: read(2) gives the end of file, without a wait for ever. */
static inline bool sees_end(int fd)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    char c;

    return poll(&ready, 1, test_timeout() * 500) == 1 && read(fd, &c, 1) == 0;
}

/* How many descriptors the process has. */
static inline int count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n - 1; /* the one of opendir */
}

/* Memory that may not be touched. */
static inline void *bad_memory(void)
{
    void *p = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED);
    return p;
}

/* valgrind reports system calls with bad pointers, which some tests make on purpose. */
static inline bool on_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return preload && strstr(preload, "vgpreload");
}

/* The address sanitizer's malloc is not usable in the child of a process with threads. */
#if defined __SANITIZE_ADDRESS__
#define ON_ASAN true
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define ON_ASAN true
#endif
#endif
#ifndef ON_ASAN
#define ON_ASAN false
#endif

/* The bytes that go through the streams. */
static inline unsigned char pattern(size_t i)
{
    return (unsigned char)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

static inline void put_pattern(void *buffer, size_t offset, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)buffer)[i] = pattern(offset + i);
}

static inline bool is_pattern(const void *buffer, size_t offset, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((const unsigned char *)buffer)[i] != pattern(offset + i))
            return false;
    return true;
}

/* Every byte of the buffer has this value. */
static inline bool is_all(const void *buffer, int value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((const unsigned char *)buffer)[i] != (unsigned char)value)
            return false;
    return true;
}

/* ---- threads and time ---- */

static inline pthread_t start_thread(void *(*f)(void *), void *arg)
{
    pthread_t t;

    ZERO(pthread_create(&t, NULL, f, arg));
    return t;
}

static inline long long now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline void breathe(void)
{
    struct timespec t = { 0, 1000000 };

    nanosleep(&t, NULL);
}

/* Waits until the condition holds. */
#define UNTIL(condition)                                                        \
    do {                                                                        \
        TEST_HERE("until " #condition);                                         \
        while (!(condition))                                                    \
            breathe();                                                          \
    } while (0)

/* The thread sleeps in the kernel. */
static inline bool is_asleep(pid_t tid)
{
    char path[64], text[512], *state;
    int fd;
    ssize_t n;

    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return false;
    n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return false;
    text[n] = 0;
    state = strrchr(text, ')');
    return state && state[1] == ' ' && state[2] == 'S';
}

#define UNTIL_ASLEEP(tid_variable) \
    UNTIL(__atomic_load_n(&(tid_variable), __ATOMIC_SEQ_CST) != 0 && is_asleep(tid_variable))
#define TELL_TID(tid_variable) __atomic_store_n(&(tid_variable), gettid(), __ATOMIC_SEQ_CST)

#define GET(variable)        __atomic_load_n(&(variable), __ATOMIC_SEQ_CST)
#define SET(variable, value) __atomic_store_n(&(variable), value, __ATOMIC_SEQ_CST)
#define ADD(variable, value) __atomic_add_fetch(&(variable), value, __ATOMIC_SEQ_CST)

/* A child process that dies with its parent; `if (child(&pid)) { ...; _exit(0); }` */
static inline bool child(pid_t *pid)
{
    *pid = OK(fork());
    if (*pid == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return *pid == 0;
}

/* The child ended with status 0. */
#define CHILD_PASSED(pid)                                                       \
    do {                                                                        \
        int status_ = -1;                                                       \
        GIVES(waitpid(pid, &status_, 0), pid);                                  \
        SAME(status_, 0);                                                       \
    } while (0)

/* A small random generator that gives the same numbers everywhere. */
static inline uint32_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 32);
}

#endif
