/* What cannot be attached: another pipe, the pipe itself: EINVAL; to what is no pipe: EINVAL: rule 4.1, rule 3.9. */
#include "test.h"

int main(void)
{
    int p = OK(ioeventpipe(4)), q = OK(ioeventpipe(4)), fd[2], x[2];

    unix_pair(fd);
    OK(pipe(x));
    FAILS(ioevent_fcntl(p, F_SETIOEVENTPIPE, q, (void *)NULL), EINVAL);
    FAILS(ioevent_fcntl(p, F_SETIOEVENTPIPE, p, (void *)NULL), EINVAL);
    FAILS(ioevent_fcntl(fd[0], F_SETIOEVENTPIPE, fd[1], (void *)NULL), EINVAL);
    FAILS(ioevent_fcntl(fd[0], F_SETIOEVENTPIPE, fd[0], (void *)NULL), EINVAL);
    FAILS(ioevent_fcntl(fd[0], F_SETIOEVENTPIPE, x[0], (void *)NULL), EINVAL);
    FAILS(ioevent_fcntl(fd[0], F_SETIOEVENTPIPE, 0, (void *)NULL), EINVAL);
    ATTACHED(fd[0], -1, 0);

    /* a failed attempt leaves an attachment as it was */
    ATTACH(fd[0], p, 1);
    FAILS(ioevent_fcntl(fd[0], F_SETIOEVENTPIPE, fd[1], (void *)NULL), EINVAL);
    FAILS(ioevent_fcntl(fd[0], F_SETIOEVENTPIPE, 9999, (void *)NULL), EBADF);
    ATTACHED(fd[0], p, 1);
    QUEUED(ioevent_poll(fd[0], POLLOUT));
    EXPECT(p, 1, POLLOUT, 0);
    return 0;
}
