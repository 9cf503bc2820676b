/*
 * Every function against every kind of bad descriptor, and those that control against every kind of bad argument,
 * result and errno both: rule 1.1, rule 1.3, rule 1.4, rule 2.9, rule 3.1, rule 3.2, rule 3.8, rule 3.9, rule 4.1,
 * rule 4.2, rule 4.6, rule 4.7, rule 5.4. The I/O calls with bad arguments are in errno_matrix_calls.c.
 */
#include "test.h"
#include <sys/epoll.h>

static struct timespec bad_times[] = { { -1, 0 }, { 0, -1 }, { 0, 1000000000 }, { 1, 2000000000 }, { LONG_MIN, 0 },
                                       { 0, LONG_MAX }, { -1, 999999999 } };

static int submit_one(int kind, int fd)
{
    struct ioevent_op op = { .ioo_kind = (unsigned short)kind, .ioo_fd = fd, .ioo_fd2 = fd };

    return ioevent_submit(&op, 1);
}

/* A descriptor that is none: EBADF from every function. */
static void no_descriptor(int fd, int p)
{
    char b[16];
    off_t at = 0;
    siginfo_t info;
    struct timespec t = { 1, 0 };
    struct iovec iov = { b, sizeof b };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr *sa = (struct sockaddr *)&in;
    socklen_t length = sizeof in;
    struct ioevent e = { 0 };
    struct ioevent_stats stats;
    int pipefd = -77, s[2];
    void *user = USER(77);

    unix_pair(s);
    memset(b, 0, sizeof b);
    FAILS(ioevent_read(fd, b, sizeof b), EBADF);
    FAILS(ioevent_write(fd, b, sizeof b), EBADF);
    FAILS(ioevent_readv(fd, &iov, 1), EBADF);
    FAILS(ioevent_writev(fd, &iov, 1), EBADF);
    FAILS(ioevent_recv(fd, b, sizeof b, 0), EBADF);
    FAILS(ioevent_recvfrom(fd, b, sizeof b, 0, sa, &length), EBADF);
    FAILS(ioevent_recvmsg(fd, &msg, 0), EBADF);
    FAILS(ioevent_send(fd, b, sizeof b, 0), EBADF);
    FAILS(ioevent_sendto(fd, b, sizeof b, 0, sa, sizeof in), EBADF);
    FAILS(ioevent_sendmsg(fd, &msg, 0), EBADF);
    FAILS(ioevent_accept(fd, sa, &length), EBADF);
    FAILS(ioevent_accept4(fd, sa, &length, 0), EBADF);
    FAILS(ioevent_connect(fd, sa, sizeof in), EBADF);
    FAILS(ioevent_pread(fd, b, sizeof b, 0), EBADF);
    FAILS(ioevent_pwrite(fd, b, sizeof b, 0), EBADF);
    FAILS(ioevent_preadv(fd, &iov, 1, 0), EBADF);
    FAILS(ioevent_pwritev(fd, &iov, 1, 0), EBADF);
    FAILS(ioevent_sendfile(fd, s[0], NULL, 1), EBADF);
    FAILS(ioevent_sendfile(s[0], fd, &at, 1), EBADF);
    FAILS(ioevent_splice(fd, NULL, s[0], NULL, 1, 0), EBADF);
    FAILS(ioevent_splice(s[0], NULL, fd, NULL, 1, 0), EBADF);
    FAILS(ioevent_fsync(fd), EBADF);
    FAILS(ioevent_fdatasync(fd), EBADF);
    FAILS(ioevent_shutdown(fd, SHUT_RDWR), EBADF);
    FAILS(ioevent_waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG), fd < 0 ? EINVAL : EBADF);
    FAILS(ioevent_dup2(fd, s[0]), EBADF);
    FAILS(ioevent_dup3(fd, s[0], 0), EBADF);
    FAILS(ioevent_close(fd), EBADF);
    FAILS(ioevent_cancel(fd), EBADF);
    FAILS(ioevent_cancel2(fd, IOEVENT_CANCEL_ALL, NULL), EBADF);
    for (int kind = IOEVENT_OP_READ; kind <= IOEVENT_OP_TIMER; kind++)
        FAILS(submit_one(kind, fd), EBADF);
    FAILS(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &t), EBADF);
    FAILS(ioevent_fcntl(fd, F_GETIOEVENTTIMEO, &t), EBADF);
    FAILS(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, 0), EBADF);
    FAILS(ioevent_fcntl(fd, F_GETIOEVENTFLAGS), EBADF);
    FAILS(ioevent_fcntl(fd, F_SETIOEVENTSZ, 1), EBADF);
    FAILS(ioevent_fcntl(fd, F_GETIOEVENTSZ), EBADF);
    FAILS(ioevent_fcntl(fd, F_GETIOEVENTCNT), EBADF);
    FAILS(ioevent_stats(fd, &stats, sizeof stats), EBADF);
    FAILS(ioevent_poll(fd, POLLIN), EBADF);
    FAILS(ioevent_wait(fd, &e, 1, NULL), EBADF);
    FAILS(ioevent_wait(fd, &e, 1, &no_wait), EBADF);
    FAILS(ioevent_fcntl(fd, F_SETIOEVENTPIPE, p, (void *)NULL), EBADF);
    FAILS(ioevent_fcntl(fd, F_SETIOEVENTPIPE, -1, (void *)NULL), EBADF);
    FAILS(ioevent_fcntl(fd, F_GETIOEVENTPIPE, &pipefd, &user), EBADF);
    SAME(pipefd, -77);
    CHECK(user == USER(77));
    FAILS(ioevent_fcntl(fd, F_GETFL), EBADF);
    FAILS(ioevent_fcntl(fd, F_SETFL, O_NONBLOCK), EBADF);
    FAILS(ioevent_fcntl(fd, F_GETFD), EBADF);
    FAILS(ioevent_fcntl(fd, F_DUPFD, 0), EBADF);
    if (fd != -1)
        FAILS(ioevent_fcntl(s[0], F_SETIOEVENTPIPE, fd, (void *)NULL), EBADF);
    ATTACHED(s[0], -1, 0);
    OK(close(s[0]));
    OK(close(s[1]));
}

/* A descriptor that is no pipe, given as one. */
static void no_pipe(int fd)
{
    struct ioevent e[2] = { { 0 } };
    struct ioevent_stats stats;
    int s[2];

    unix_pair(s);
    FAILS(ioevent_wait(fd, e, 1, NULL), EINVAL);
    FAILS(ioevent_wait(fd, e, 2, &no_wait), EINVAL);
    FAILS(ioevent_fcntl(s[0], F_SETIOEVENTPIPE, fd, (void *)NULL), EINVAL);
    FAILS(ioevent_fcntl(fd, F_SETIOEVENTSZ, 100), EINVAL);
    FAILS(ioevent_fcntl(fd, F_GETIOEVENTSZ), EINVAL);
    FAILS(ioevent_fcntl(fd, F_GETIOEVENTCNT), EINVAL);
    FAILS(ioevent_stats(fd, &stats, sizeof stats), EINVAL);
    FAILS(submit_one(IOEVENT_OP_TIMER, fd), EINVAL);
    ATTACHED(s[0], -1, 0);
    OK(close(s[0]));
    OK(close(s[1]));
}

/* Directions that ioevent_cancel2 does not know, or none. */
static void bad_directions(int fd)
{
    static const int what[] = { 0, IOEVENT_CANCEL_USER, 16, IOEVENT_CANCEL_ALL | 16, -1, INT_MIN,
                                IOEVENT_CANCEL_IN | 1 << 30 };

    for (size_t i = 0; i < sizeof what / sizeof *what; i++)
        FAILS(ioevent_cancel2(fd, what[i], NULL), EINVAL);
}

/* A pipe given bad arguments. */
static void bad_arguments(int p)
{
    struct ioevent e[2] = { { USER(1), 2, 3 } };
    int q = OK(ioeventpipe(1));

    FAILS(ioevent_wait(p, e, 0, NULL), EINVAL);
    FAILS(ioevent_wait(p, e, 0, &no_wait), EINVAL);
    FAILS(ioevent_wait(p, e, -1, NULL), EINVAL);
    FAILS(ioevent_wait(p, e, INT_MIN, &no_wait), EINVAL);
    FAILS(ioevent_wait(p, NULL, 1, &no_wait), EFAULT);
    FAILS(ioevent_wait(p, NULL, 1, NULL), EFAULT);
    FAILS(ioevent_wait(p, NULL, 0, &no_wait), EINVAL);
    FAILS(ioevent_read(p, NULL, sizeof *e), EFAULT);
    FAILS(ioevent_write(p, NULL, sizeof *e), EFAULT);
    for (size_t i = 0; i < sizeof bad_times / sizeof *bad_times; i++)
        FAILS(ioevent_wait(p, e, 2, &bad_times[i]), EINVAL);
    for (size_t n = 0; n < sizeof *e; n++)
        FAILS(ioevent_read(p, e, n), EINVAL);
    for (size_t n = 1; n < sizeof *e; n++)
        FAILS(ioevent_write(p, e, n), EINVAL);
    FAILS(ioevent_fcntl(p, F_SETIOEVENTPIPE, q, (void *)NULL), EINVAL);
    FAILS(ioevent_fcntl(p, F_SETIOEVENTPIPE, p, (void *)NULL), EINVAL);
    FAILS(ioevent_fcntl(p, 0x494f7777, 0), EINVAL);
    FAILS(ioevent_fcntl(p, -1, 0), EINVAL);

    /* its capacity */
    FAILS(ioevent_fcntl(p, F_SETIOEVENTSZ, 0), EINVAL);
    FAILS(ioevent_fcntl(p, F_SETIOEVENTSZ, -1), EINVAL);
    FAILS(ioevent_fcntl(p, F_SETIOEVENTSZ, INT_MIN), EINVAL);
    SAME(ioevent_fcntl(p, F_GETIOEVENTSZ), 4);

    /* what belongs to attached descriptors */
    FAILS(ioevent_fcntl(p, F_SETIOEVENTTIMEO, &no_wait), EINVAL);
    FAILS(ioevent_fcntl(p, F_GETIOEVENTTIMEO, &bad_times[0]), EINVAL);
    FAILS(ioevent_fcntl(p, F_SETIOEVENTFLAGS, 0), EINVAL);
    FAILS(ioevent_fcntl(p, F_GETIOEVENTFLAGS), EINVAL);
    FAILS(ioevent_poll(p, POLLIN), EINVAL);
    for (int kind = IOEVENT_OP_READ; kind < IOEVENT_OP_TIMER; kind++)
        FAILS(submit_one(kind, p), EINVAL);
    bad_directions(p);
    GIVES(ioevent_cancel(p), 0);
    GIVES(ioevent_cancel2(p, IOEVENT_CANCEL_IN, NULL), 0);

    /* bad arguments also when there are events, which stay */
    GIVES(ioevent_write(p, e, sizeof *e), sizeof *e);
    FAILS(ioevent_wait(p, e, 0, NULL), EINVAL);
    for (size_t i = 0; i < sizeof bad_times / sizeof *bad_times; i++)
        FAILS(ioevent_wait(p, e, 2, &bad_times[i]), EINVAL);
    FAILS(ioevent_read(p, e, sizeof *e - 1), EINVAL);
    GIVES(ioevent_write(p, e, sizeof *e), sizeof *e);
    FAILS(ioevent_fcntl(p, F_SETIOEVENTSZ, 1), EBUSY);
    FAILS(ioevent_fcntl(p, F_SETIOEVENTSZ, 0), EINVAL);
    SAME(ioevent_fcntl(p, F_GETIOEVENTSZ), 4);
    EXPECT(p, 1, 2, 3);
    EXPECT(p, 1, 2, 3);
    QUIET(p);
    GIVES(ioevent_close(q), 0);
}

/* A descriptor that is not attached: the commands and calls that need an attachment. */
static void not_attached(int fd)
{
    int pipefd = -77;
    void *user = USER(77);

    GIVES(ioevent_fcntl(fd, F_GETIOEVENTPIPE, &pipefd, &user), 0);
    SAME(pipefd, -1);
    CHECK(user == NULL);
    GIVES(ioevent_fcntl(fd, F_SETIOEVENTPIPE, -1, (void *)NULL), 0);
    FAILS(ioevent_fcntl(fd, F_GETIOEVENTPIPE, NULL, &user), EFAULT);
    FAILS(ioevent_fcntl(fd, F_GETIOEVENTPIPE, &pipefd, NULL), EFAULT);
    FAILS(ioevent_cancel(fd), EINVAL);
    FAILS(ioevent_cancel2(fd, IOEVENT_CANCEL_ALL, NULL), EINVAL);
    bad_directions(fd);
    FAILS(ioevent_poll(fd, POLLIN), EINVAL);
    for (int kind = IOEVENT_OP_READ; kind <= IOEVENT_OP_TIMER; kind++)
        FAILS(submit_one(kind, fd), EINVAL);
    FAILS(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &no_wait), EINVAL);
    FAILS(ioevent_fcntl(fd, F_GETIOEVENTTIMEO, &bad_times[0]), EINVAL);
    FAILS(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, 0), EINVAL);
    FAILS(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE), EINVAL);
    FAILS(ioevent_fcntl(fd, F_GETIOEVENTFLAGS), EINVAL);
    FAILS(ioevent_fcntl(fd, 0x494f7777, 0), EINVAL);
    FAILS(ioevent_fcntl(fd, 9999, 0), EINVAL);
}

/* An attached descriptor given bad arguments: what was set before stays. */
static void attached(int fd)
{
    struct timespec t = { 7, 8 };
    struct ioevent_op op[2] = { { .ioo_kind = IOEVENT_OP_POLL, .ioo_fd = fd, .ioo_arg = POLLPRI } };

    GIVES(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &t), 0);
    GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    for (size_t i = 0; i < sizeof bad_times / sizeof *bad_times; i++)
        FAILS(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &bad_times[i]), EINVAL);
    FAILS(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, (struct timespec *)NULL), EFAULT);
    FAILS(ioevent_fcntl(fd, F_GETIOEVENTTIMEO, (struct timespec *)NULL), EFAULT);
    FAILS(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, 4), EINVAL);
    FAILS(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE | 1 << 30), EINVAL);
    FAILS(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, -1), EINVAL);
    t = (struct timespec){ 0, 0 };
    GIVES(ioevent_fcntl(fd, F_GETIOEVENTTIMEO, &t), 0);
    CHECK(t.tv_sec == 7 && t.tv_nsec == 8);
    GIVES(ioevent_fcntl(fd, F_GETIOEVENTFLAGS), IOEVENT_INLINE);
    GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, 0), 0);
    bad_directions(fd);
    no_pipe(fd);

    FAILS(ioevent_submit(NULL, 1), EFAULT);
    FAILS(ioevent_submit(op, -1), EINVAL);
    FAILS(ioevent_submit(op, INT_MIN), EINVAL);
    GIVES(ioevent_submit(NULL, 0), 0);
    for (size_t i = 0; i < sizeof bad_times / sizeof *bad_times; i++) {
        op[0].ioo_timeout = bad_times[i];
        FAILS(ioevent_submit(op, 1), EINVAL);
    }
    op[0].ioo_timeout = no_wait;
    for (int bit = 1; bit < 1 << 16; bit <<= 1) {
        op[0].ioo_flags = (unsigned short)bit;
        FAILS(ioevent_submit(op, 1), EINVAL);
    }
    op[0].ioo_flags = 0;
    for (int i = 0; i < 4; i++) {
        op[0].ioo_zero[i] = 1;
        FAILS(ioevent_submit(op, 1), EINVAL);
        op[0].ioo_zero[i] = 0;
    }
    op[0].ioo_kind = 0;
    FAILS(ioevent_submit(op, 2), EINVAL);
    op[0].ioo_kind = IOEVENT_OP_TIMER + 1;
    FAILS(ioevent_submit(op, 2), EINVAL);
    GIVES(ioevent_cancel(fd), 0);
    FAILS(ioevent_fcntl(fd, F_GETIOEVENTPIPE, (int *)NULL, (void **)NULL), EFAULT);
}

/* What makes pipes, and names errors. */
static void the_others(void)
{
    static const int errors[] = { INT_MIN, -1, 0, EPERM, EINVAL, EIOEVENTFULL - 1, EIOEVENTQUEUED + 1, 4096, INT_MAX };
    char text[100];
    struct rlimit limit;
    siginfo_t info;
    int s[2];

    FAILS(ioeventpipe(0), EINVAL);
    FAILS(ioeventpipe(-1), EINVAL);
    FAILS(ioeventpipe(INT_MIN), EINVAL);
    FAILS(ioeventpipe2(0, O_NONBLOCK), EINVAL);
    FAILS(ioeventpipe2(1, O_APPEND), EINVAL);
    FAILS(ioeventpipe2(1, -1), EINVAL);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        snprintf(text, sizeof text, "%s", strerror(errors[i]));
        CHECK(strcmp(ioevent_strerror(errors[i]), text) == 0);
    }
    CHECK(strcmp(ioevent_strerror(EIOEVENTFULL), ioevent_strerror(EIOEVENTQUEUED)) != 0);
    errno = 4321;
    CHECK(ioevent_version() >= 0x000200 && ioevent_version_string() != NULL);
    SAME(errno, 4321);

    unix_pair(s);
    FAILS(ioevent_dup2(s[0], -1), EBADF);
    FAILS(ioevent_dup2(s[0], INT_MAX), EBADF);
    FAILS(ioevent_dup3(s[0], s[0], 0), EINVAL);
#ifdef __GLIBC__ /* musl's looks for O_CLOEXEC only */
    FAILS(ioevent_dup3(s[0], s[1], O_APPEND), EINVAL);
#endif
    FAILS(ioevent_waitid(P_ALL, 0, &info, 0), EINVAL);
    OK(getrlimit(RLIMIT_NOFILE, &limit));
    OK(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 0, limit.rlim_max }));
    FAILS(ioeventpipe(1), EMFILE);
    FAILS(ioeventpipe2(1, O_NONBLOCK | O_CLOEXEC), EMFILE);
    OK(setrlimit(RLIMIT_NOFILE, &limit));
    OK(close(s[0]));
    OK(close(s[1]));
}

int main(void)
{
    int p = OK(ioeventpipe(4)), q = OK(ioeventpipe2(4, O_NONBLOCK)), s[2], x[2], was_pipe, ep;
    struct address a;

    no_descriptor(-1, p);
    no_descriptor(-2, p);
    no_descriptor(INT_MIN, p);
    no_descriptor(INT_MAX, p);
    no_descriptor(1 << 30, p);
    no_descriptor(123456, p);
    no_descriptor(900, p);

    /* one that was attached and is closed, one that was a pipe and is closed */
    unix_pair(s);
    ATTACH(s[0], p, 1);
    OK(dup2(s[0], 800));
    ATTACH(800, p, 2);
    GIVES(ioevent_close(800), 0);
    no_descriptor(800, p);
    OK(dup2(s[0], 800));
    ATTACH(800, p, 2);
    DETACH(800);
    OK(close(800));
    no_descriptor(800, p);
    was_pipe = OK(ioeventpipe(1));
    GIVES(ioevent_close(was_pipe), 0);
    FAILS(ioevent_wait(was_pipe, (struct ioevent[1]){ { 0 } }, 1, NULL), EBADF);
    FAILS(ioevent_close(was_pipe), EBADF);
    FAILS(ioevent_fcntl(s[0], F_SETIOEVENTPIPE, was_pipe, (void *)NULL), EBADF);
    ATTACHED(s[0], p, 1);

    no_pipe(0);
    no_pipe(s[0]);
    no_pipe(s[1]);
    OK(pipe(x));
    no_pipe(x[0]);
    no_pipe(x[1]);
    no_pipe(OK(open("/", O_RDONLY)));
    no_pipe(OK(dup(p)));
    ep = OK(epoll_create1(0));
    no_pipe(ep);

    bad_arguments(p);
    bad_arguments(q);
    FAILS(ioevent_read(q, (struct ioevent[1]){ { 0 } }, sizeof(struct ioevent)), EAGAIN);

    not_attached(s[1]);
    not_attached(x[0]);
    not_attached(listener(AF_INET, 1, &a));
    not_attached(OK(open("/", O_RDONLY)));
    not_attached(0);

    /* what is attached: unknown commands are still the kernel's to refuse */
    FAILS(ioevent_fcntl(s[0], 0x494f7777, 0), EINVAL);
    FAILS(ioevent_fcntl(s[0], 9999, 0), EINVAL);
    SAME(ioevent_fcntl(s[0], F_GETFL), fcntl(s[0], F_GETFL));
    attached(s[0]);
    the_others();
    QUIET(p);
    QUIET(q);
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
    return 0;
}
