/*
 * IOEVENT_INLINE and the calls that are neither plain reads nor writes: splice, shutdown and waitid are direct when
 * they can be done at once; what touches the disk is direct or has one event, never both: rule 2.8, rule 2.2.
 */
#include "test.h"

static int p;

static void in_line(int fd)
{
    ATTACH(fd, p, fd);
    GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
}

/* Directly or in an event. */
#define DONE(call, fd, result)                                                  \
    do {                                                                        \
        TEST_HERE(#call);                                                       \
        long long r_ = (long long)(call);                                       \
        if (r_ == -1 && errno == EIOEVENTQUEUED)                                \
            test_expect(&test_place_, p, USER(fd), result, 0);                  \
        else if (r_ != (result))                                                \
            test_fail(&test_place_, errno, "gave %lld", r_);                    \
        QUIET(p);                                                               \
    } while (0)

static void transfers(int f)
{
    int s[2], q[2], r[2];
    char b[16];
    off_t at = 2;
    size_t n;

    CHECK(stream_pair(fillable(), s));
    OK(pipe(q));
    OK(pipe(r));
    in_line(s[0]);
    in_line(r[1]);
    OK(write(q[1], "pipe", 4));
    GIVES(ioevent_splice(q[0], NULL, s[0], NULL, 8, 0), 4);
    read_all(s[1], b, 4);
    CHECK(memcmp(b, "pipe", 4) == 0);
    QUEUED(ioevent_splice(q[0], NULL, r[1], NULL, 8, 0)); /* nothing there */
    OK(write(q[1], "more", 4));
    EXPECT(p, r[1], 4, 0);
    SAME(drain(r[0]), 4);
    DONE(ioevent_sendfile(s[0], f, &at, 3), s[0], 3);
    SAME(at, 5);
    read_all(s[1], b, 3);
    CHECK(memcmp(b, "234", 3) == 0);
    n = fill_up_for_good(s[0]);
    QUEUED(ioevent_sendfile(s[0], f, &at, 2));
    QUEUED(ioevent_shutdown(s[0], SHUT_WR)); /* behind it */
    QUIET(p);
    for (size_t got = 0; got < n + 2;)
        got += drain(s[1]);
    EXPECT(p, s[0], 2, 0);
    EXPECT(p, s[0], 0, 0);
    SAME(at, 7);
    CHECK(sees_end(s[1]));
    unix_pair(s);
    in_line(s[0]);
    GIVES(ioevent_shutdown(s[0], SHUT_WR), 0);
    CHECK(sees_end(s[1]));
}

static void files(int f)
{
    char b[16];
    struct iovec iov = { b, 4 };

    in_line(f);
    for (int i = 0; i < 20; i++) {
        DONE(ioevent_pwrite(f, "0123456789", 10, 0), f, 10);
        DONE(ioevent_pread(f, b, 8, 5), f, 5);
        CHECK(memcmp(b, "56789", 5) == 0);
        DONE(ioevent_pwritev(f, &iov, 1, 0), f, 4);
        DONE(ioevent_preadv(f, &iov, 1, 8), f, 2);
        DONE(ioevent_fsync(f), f, 0);
        DONE(ioevent_fdatasync(f), f, 0);
        OK(lseek(f, 0, SEEK_SET));
        DONE(ioevent_write(f, "abcdef", 6), f, 6);
        DONE(ioevent_read(f, b, 4), f, 4);
        CHECK(memcmp(b, "6789", 4) == 0);
        DONE(ioevent_read(f, b, 4), f, 0);
    }
}

int main(void)
{
    int f = fileno(tmpfile()), pidfd;
    siginfo_t info = { 0 };
    pid_t pid;

    if (child(&pid))
        _exit(3);
    p = OK(ioeventpipe(4));
    GIVES(pwrite(f, "0123456789", 10, 0), 10);
    transfers(f);
    files(f);
    OK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT)); /* it has ended */
    pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd == -1)
        return 0; /* not here */
    in_line(pidfd);
    GIVES(ioevent_waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), 0);
    SAME(info.si_status, 3);
    STAYS_QUIET(p);
    return 0;
}
