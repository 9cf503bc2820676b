/*
 * With IOEVENT_POLLONLY the calls for files, transfers and children are libc's, too: rule 2.11.
 */
#include "test.h"

static int p;

static void poll_only(int fd)
{
    ATTACH(fd, p, fd);
    GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_POLLONLY), 0);
}

static void files(void)
{
    int f = fileno(tmpfile()), q[2];
    char b[8] = "";
    struct iovec iov = { b, 4 };
    off_t at = 1;
    loff_t from = 2;

    OK(pipe(q));
    poll_only(f);
    poll_only(q[1]);
    GIVES(ioevent_write(f, "0123", 4), 4);
    GIVES(ioevent_pwrite(f, "45", 2, 4), 2);
    GIVES(ioevent_pread(f, b, 8, 1), 5);
    CHECK(memcmp(b, "12345", 5) == 0);
    GIVES(ioevent_preadv(f, &iov, 1, 0), 4);
    GIVES(ioevent_pwritev(f, &iov, 1, 6), 4);
    GIVES(ioevent_fsync(f), 0);
    GIVES(ioevent_fdatasync(f), 0);
    GIVES(ioevent_sendfile(q[1], f, &at, 2), 2);
    SAME(at, 3);
    GIVES(ioevent_splice(f, &from, q[1], NULL, 3, 0), 3);
    SAME(from, 5);
    read_all(q[0], b, 5);
    CHECK(memcmp(b, "12234", 5) == 0);
    GIVES(ioevent_close(f), 0);
}

static void children(void)
{
    int pidfd;
    siginfo_t info = { 0 };
    pid_t pid;

    if (child(&pid))
        _exit(3);
    pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd == -1)
        return; /* not here */
    poll_only(pidfd);
    GIVES(ioevent_waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), 0); /* waits for it */
    SAME(info.si_status, 3);
}

int main(void)
{
    struct ioevent post = { USER(1), 1, 0 };

    p = OK(ioeventpipe(1));
    for (int full = 0; full < 2; full++) {
        if (full)
            GIVES(ioevent_write(p, &post, sizeof post), sizeof post);
        files();
        children();
        SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), full);
    }
    EXPECT(p, 1, 1, 0);
    STAYS_QUIET(p);
    return 0;
}
