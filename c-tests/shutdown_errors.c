/* What shutdown refuses, as libc's does, at once or in the event: rule 2.6. Not attached, it is libc's: rule 1.1. */
#include "test_file.h"

static void all(int p, int fd, int err)
{
    for (int how = SHUT_RD; how <= SHUT_RDWR; how++) {
        FAILS(ioevent_shutdown(fd, how), err);
        ATTACH(fd, p, 1);
        EITHER(ioevent_shutdown(fd, how), p, 1, err);
        DETACH(fd);
    }
    OK(close(fd));
}

int main(void)
{
    int p = OK(ioeventpipe(4)), fd[2], bad[] = { -1, 3, 77, INT_MIN, INT_MAX };
    char b[4];

    OK(pipe(fd));
    all(p, fd[0], ENOTSOCK);
    all(p, fd[1], ENOTSOCK);
    all(p, disk_file(), ENOTSOCK);
    all(p, OK(open("/dev/null", O_RDWR)), ENOTSOCK);
    all(p, OK(socket(AF_INET, SOCK_STREAM, 0)), ENOTCONN);
    for (int which = 0; which < STREAM_PIPE; which++) {
        if (!stream_pair(which, fd))
            continue;
        ATTACH(fd[0], p, 2);
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            FAILS(ioevent_shutdown(fd[1], bad[i]), EINVAL);
            EITHER(ioevent_shutdown(fd[0], bad[i]), p, 2, EINVAL);
        }

        /* nothing was shut down */
        QUEUED(ioevent_write(fd[0], "abc", 3));
        EXPECT(p, 2, 3, 0);
        OK(write(fd[1], "de", 2));
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        EXPECT(p, 2, 2, 0);

        /* twice is no error */
        for (int i = 0; i < 2; i++) {
            QUEUED(ioevent_shutdown(fd[0], SHUT_WR));
            EXPECT(p, 2, 0, 0);
        }
        read_all(fd[1], b, 3);
        CHECK(sees_end(fd[1]));
        GIVES(ioevent_shutdown(fd[1], SHUT_RD), 0);
        GIVES(ioevent_close(fd[0]), 0);
        OK(close(fd[1]));
    }
    FAILS(ioevent_shutdown(-1, SHUT_WR), EBADF);
    FAILS(ioevent_shutdown(900, SHUT_RD), EBADF);
    STAYS_QUIET(p);
    return 0;
}
