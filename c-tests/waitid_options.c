/*
 * waitid of an attached pidfd takes WEXITED with WNOHANG or WNOWAIT, else EINVAL: rule 2.4. A process that is no
 * child: ECHILD. Other kinds of ids, and a pidfd that is not attached, are libc's: rule 1.1.
 */
#include "test.h"

int main(void)
{
    int bad[] = { 0, WNOHANG, WNOWAIT, WSTOPPED, WCONTINUED, WEXITED | WSTOPPED, WEXITED | WCONTINUED,
                  WNOHANG | WSTOPPED, WEXITED | (1 << 20) };
    int p = OK(ioeventpipe(8)), gate[2], fd, self;
    siginfo_t info;
    pid_t pid;
    char c;

    OK(pipe2(gate, O_CLOEXEC));
    if (child(&pid)) {
        close(gate[1]);
        _exit(read(gate[0], &c, 1) == 0 ? 7 : 1);
    }
    fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd == -1)
        SKIP("no pidfd");
    ATTACH(fd, p, 1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        EITHER(ioevent_waitid(P_PIDFD, (id_t)fd, &info, bad[i]), p, 1, EINVAL);

    /* WNOHANG at one that lives */
    for (int i = 0; i < 2; i++) {
        memset(&info, 0xee, sizeof info);
        QUEUED(ioevent_waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG | (i ? WNOWAIT : 0)));
        EXPECT(p, 1, 0, 0);
        SAME(info.si_pid, 0);
        SAME(info.si_signo, 0);
    }

    /* not a child of ours; a descriptor that is no pidfd */
    self = (int)OK(syscall(SYS_pidfd_open, getpid(), 0));
    ATTACH(self, p, 2);
    EITHER(ioevent_waitid(P_PIDFD, (id_t)self, &info, WEXITED), p, 2, ECHILD);
    EITHER(ioevent_waitid(P_PIDFD, (id_t)self, &info, WEXITED | WNOHANG), p, 2, ECHILD);
    ATTACH(gate[1], p, 3);
    FAILS(waitid(P_PIDFD, (id_t)gate[1], &info, WEXITED), EBADF);
    EITHER(ioevent_waitid(P_PIDFD, (id_t)gate[1], &info, WEXITED), p, 3, EBADF);
    FAILS(ioevent_waitid(P_PIDFD, 900, &info, WEXITED), EBADF);
    FAILS(ioevent_waitid(P_PIDFD, (id_t)-1, &info, WEXITED), EINVAL);

    /* libc's */
    GIVES(ioevent_waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG), 0);
    SAME(info.si_pid, 0);
    GIVES(ioevent_waitid(P_ALL, (id_t)fd, &info, WEXITED | WNOHANG), 0);
    FAILS(ioevent_waitid(P_ALL, 0, &info, 0), EINVAL);
    FAILS(ioevent_waitid(P_PID, (id_t)getpid(), &info, WEXITED), ECHILD);
    GIVES(ioevent_close(gate[1]), 0);
    GIVES(ioevent_waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    SAME(info.si_status, 7);
    DETACH(fd);
    GIVES(ioevent_waitid(P_PIDFD, (id_t)fd, &info, WEXITED), 0);
    SAME(info.si_pid, pid);
    SAME(info.si_status, 7);
    FAILS(ioevent_waitid(P_PIDFD, (id_t)fd, &info, WEXITED), ECHILD);

    /* children that are not waited for: the call waits until they are gone, and then there was none */
    signal(SIGCHLD, SIG_IGN);
    OK(close(fd));
    OK(pipe2(gate, O_CLOEXEC));
    if (child(&pid)) {
        close(gate[1]);
        _exit(read(gate[0], &c, 1) == 0 ? 7 : 1);
    }
    fd = (int)OK(syscall(SYS_pidfd_open, pid, 0));
    ATTACH(fd, p, 4);
    QUEUED(ioevent_waitid(P_PIDFD, (id_t)fd, &info, WEXITED));
    STAYS_QUIET(p);
    OK(close(gate[1]));
    EXPECT(p, 4, -1, ECHILD);
    STAYS_QUIET(p);
    return 0;
}
