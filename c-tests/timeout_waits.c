/*
 * poll, waitid, splice and sendfile are ended with ETIMEDOUT, too, and can be made again: rule 4.6. So is what could
 * not be finished at once with IOEVENT_INLINE: rule 2.8.
 */
#include "test.h"

enum { LIMIT = 8000000 };

static int p;

/* Attaches with a limit. */
static void limited(int fd)
{
    ATTACH(fd, p, fd);
    GIVES(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &(struct timespec){ 0, LIMIT }), 0);
}

/* The operation that was queued last, after this time, is ended. */
static void ended(int fd, long long start)
{
    EXPECT(p, fd, -1, ETIMEDOUT);
    CHECK(now_ns() - start >= LIMIT);
    QUIET(p);
}

static void no_limit(int fd)
{
    GIVES(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &no_wait), 0);
}

static void transfers(void)
{
    int s[2], q[2], f = fileno(tmpfile());
    char b[8];
    size_t full;
    long long start;

    CHECK(stream_pair(fillable(), s));
    OK(pipe(q));
    GIVES(pwrite(f, "file", 4, 0), 4);
    limited(s[0]);
    start = now_ns();
    QUEUED(ioevent_poll(s[0], POLLIN));
    ended(s[0], start);
    start = now_ns();
    QUEUED(ioevent_splice(q[0], NULL, s[0], NULL, 8, 0)); /* from an empty pipe */
    ended(s[0], start);
    full = fill_up_for_good(s[0]);
    start = now_ns();
    QUEUED(ioevent_sendfile(s[0], f, NULL, 4)); /* into a full socket */
    ended(s[0], start);
    SAME(lseek(f, 0, SEEK_CUR), 0); /* nothing was taken from the file */
    skip(s[1], full);
    SAME(drain(s[1]), 0);
    no_limit(s[0]);
    QUEUED(ioevent_sendfile(s[0], f, NULL, 4));
    EXPECT(p, s[0], 4, 0);
    QUEUED(ioevent_splice(q[0], NULL, s[0], NULL, 3, 0));
    OK(write(q[1], "abc", 3));
    EXPECT(p, s[0], 3, 0);
    read_all(s[1], b, 7);
    CHECK(memcmp(b, "fileabc", 7) == 0);

    limited(s[1]);
    GIVES(ioevent_fcntl(s[1], F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    start = now_ns();
    QUEUED(ioevent_read(s[1], b, 8));
    ended(s[1], start);
    start = now_ns();
    QUEUED(ioevent_poll(s[1], POLLIN));
    ended(s[1], start);
}

static void children(void)
{
    siginfo_t info;
    pid_t pid;
    int pidfd;
    long long start;

    if (child(&pid))
        for (;;)
            pause();
    pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd == -1)
        return; /* not here */
    limited(pidfd);
    start = now_ns();
    QUEUED(ioevent_waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED));
    ended(pidfd, start);
    no_limit(pidfd);
    QUEUED(ioevent_waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED));
    OK(kill(pid, SIGKILL));
    EXPECT(p, pidfd, 0, 0);
    SAME(info.si_pid, pid);
}

int main(void)
{
    p = OK(ioeventpipe(8));
    transfers();
    children();
    STAYS_QUIET(p);
    return 0;
}
