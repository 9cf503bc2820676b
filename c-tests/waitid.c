/*
 * ioevent_waitid with P_PIDFD on an attached pidfd: its event comes when the child has ended, the siginfo_t says how,
 * and the child is reaped: rule 4.1, rule 2.4.
 */
#include "test.h"

static int p, gate[2];

/* A child that waits for the gate, then exits with 7, or is killed. */
static int pidfd_of(pid_t *pid)
{
    int fd;
    char c;

    OK(pipe2(gate, O_CLOEXEC));
    if (child(pid)) {
        close(gate[1]);
        _exit(read(gate[0], &c, 1) == 0 ? 7 : 1);
    }
    OK(close(gate[0]));
    fd = (int)syscall(SYS_pidfd_open, *pid, 0);
    if (fd == -1)
        SKIP("no pidfd");
    return fd;
}

static void is_info(const siginfo_t *info, pid_t pid, int code, int status)
{
    SAME(info->si_signo, SIGCHLD);
    SAME(info->si_pid, pid);
    SAME(info->si_code, code);
    SAME(info->si_status, status);
    SAME(info->si_uid, getuid());
}

int main(void)
{
    pid_t pid;
    siginfo_t info, again;
    int fd;

    p = OK(ioeventpipe(8));
    for (int nonblock = 0; nonblock < 2; nonblock++) {
        /* it exits later */
        fd = pidfd_of(&pid);
        set_nonblock(fd, nonblock);
        ATTACH(fd, p, 1);
        memset(&info, 0xee, sizeof info);
        QUEUED(ioevent_waitid(P_PIDFD, (id_t)fd, &info, WEXITED));
        STAYS_QUIET(p);
        OK(close(gate[1]));
        EXPECT(p, 1, 0, 0);
        is_info(&info, pid, CLD_EXITED, 7);
        FAILS(waitid(P_PID, (id_t)pid, &again, WEXITED), ECHILD);
        EITHER(ioevent_waitid(P_PIDFD, (id_t)fd, &again, WEXITED), p, 1, ECHILD);
        GIVES(ioevent_close(fd), 0);

        /* it is killed; several wait: one reaps it, those that only look come before or not at all */
        fd = pidfd_of(&pid);
        set_nonblock(fd, nonblock);
        ATTACH(fd, p, 2);
        QUEUED(ioevent_waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOWAIT));
        QUEUED(ioevent_waitid(P_PIDFD, (id_t)fd, &again, WEXITED | WNOWAIT));
        STAYS_QUIET(p);
        OK(kill(pid, SIGKILL));
        EXPECT(p, 2, 0, 0);
        EXPECT(p, 2, 0, 0);
        is_info(&info, pid, CLD_KILLED, SIGKILL);
        is_info(&again, pid, CLD_KILLED, SIGKILL);

        /* it has ended before the call: looked at, then reaped */
        for (int i = 0; i < 3; i++) {
            memset(&info, 0xee, sizeof info);
            QUEUED(ioevent_waitid(P_PIDFD, (id_t)fd, &info, i < 2 ? WEXITED | WNOWAIT : WEXITED));
            EXPECT(p, 2, 0, 0);
            is_info(&info, pid, CLD_KILLED, SIGKILL);
        }
        EITHER(ioevent_waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOWAIT), p, 2, ECHILD);
        GIVES(ioevent_close(fd), 0);
        OK(close(gate[1]));
    }

    /* without a place for the information */
    fd = pidfd_of(&pid);
    ATTACH(fd, p, 3);
    QUEUED(ioevent_waitid(P_PIDFD, (id_t)fd, NULL, WEXITED));
    QUIET(p);
    OK(close(gate[1]));
    EXPECT(p, 3, 0, 0);
    FAILS(waitpid(pid, NULL, WNOHANG), ECHILD);
    STAYS_QUIET(p);
    return 0;
}
