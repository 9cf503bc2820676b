/*
 * A dup2 or dup3 that fails, or that is one of a number onto itself, leaves the attachment and its operations, and a
 * pipe, as they were: rule 4.4. The errno is libc's: rule 1.1.
 */
#include "test.h"

int main(void)
{
    int p = OK(ioeventpipe(8)), fd[2], x[2], closed = 900;
    char b[8];

    unix_pair(fd);
    unix_pair(x);
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    QUEUED(ioevent_poll(fd[0], POLLPRI));

    /* a bad old descriptor */
    FAILS(ioevent_dup2(-1, fd[0]), EBADF);
    FAILS(ioevent_dup2(closed, fd[0]), EBADF);
    FAILS(ioevent_dup2(INT_MAX, fd[0]), EBADF);
    FAILS(ioevent_dup3(-1, fd[0], 0), EBADF);
    FAILS(ioevent_dup3(closed, fd[0], O_CLOEXEC), EBADF);
    FAILS(ioevent_dup2(closed, p), EBADF);
    FAILS(ioevent_dup3(-1, p, 0), EBADF);

    /* flags that dup3 does not know */
    FAILS(ioevent_dup3(x[0], fd[0], O_NONBLOCK), EINVAL);
    FAILS(ioevent_dup3(x[0], fd[0], O_CLOEXEC | 1), EINVAL);
    FAILS(ioevent_dup3(x[0], p, -1), EINVAL);
    FAILS(ioevent_dup3(-1, fd[0], 1), EINVAL);

    /* a number onto itself */
    GIVES(ioevent_dup2(fd[0], fd[0]), fd[0]);
    FAILS(ioevent_dup3(fd[0], fd[0], 0), EINVAL);
    FAILS(ioevent_dup3(fd[0], fd[0], O_CLOEXEC), EINVAL);
    GIVES(ioevent_dup2(p, p), p);
    FAILS(ioevent_dup3(p, p, 0), EINVAL);
    FAILS(ioevent_dup3(closed, closed, 0), EINVAL);
    FAILS(ioevent_dup2(closed, closed), EBADF);

    /* numbers that cannot be */
    FAILS(ioevent_dup2(fd[0], -1), EBADF);
    FAILS(ioevent_dup2(fd[0], INT_MAX), EBADF);
    FAILS(ioevent_dup2(fd[0], INT_MIN), EBADF);
    FAILS(ioevent_dup3(p, -1, 0), EBADF);

    /* all is as it was */
    STAYS_QUIET(p);
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), 2);
    ATTACHED(fd[0], p, 1);
    OK(write(fd[1], "abc", 3));
    EXPECT(p, 1, 3, 0);
    CHECK(memcmp(b, "abc", 3) == 0);
    GIVES(ioevent_cancel(fd[0]), 1);
    EXPECT(p, 1, -1, ECANCELED);
    GIVES(ioevent_write(x[0], "x", 1), 1);
    GIVES(ioevent_close(fd[0]), 0);
    STAYS_QUIET(p);
    return 0;
}
