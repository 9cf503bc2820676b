/* A pidfd can be attached: it polls as readable when the process has ended: rule 4.1. */
#include "test.h"

int main(void)
{
    int p = OK(ioeventpipe(8)), fd[2], pidfd;
    pid_t pid;
    char c;

    OK(pipe(fd));
    if (child(&pid)) {
        OK(close(fd[1]));
        GIVES(read(fd[0], &c, 1), 0);
        _exit(7);
    }
    pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd == -1)
        SKIP("no pidfd");
    ATTACH(pidfd, p, 1);
    QUEUED(ioevent_poll(pidfd, POLLIN));
    STAYS_QUIET(p);
    OK(close(fd[1]));
    SAME(HARVEST(p).ioe_result & POLLIN, POLLIN);
    QUEUED(ioevent_poll(pidfd, POLLIN));
    SAME(HARVEST(p).ioe_result & POLLIN, POLLIN);
    {
        siginfo_t info;

        OK(waitid(P_PID, (id_t)pid, &info, WEXITED));
        SAME(info.si_status, 7);
    }
    EITHER(ioevent_read(pidfd, &c, 1), p, 1, EINVAL);
    STAYS_QUIET(p);
    GIVES(ioevent_close(pidfd), 0);
    return 0;
}
