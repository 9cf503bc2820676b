/* ioevent_submit: poll, waitid and timer, each once: rule 2.9, rule 2.12. */
#include "test.h"

/* The operation of this kind is taken; more fields may follow. */
#define SUBMIT(kind, fd, user, ...)                                             \
    GIVES(ioevent_submit(&(struct ioevent_op){ .ioo_kind = IOEVENT_OP_##kind, .ioo_fd = fd, .ioo_user = USER(user), \
                                               ##__VA_ARGS__ }, 1), 1)

int main(void)
{
    int p, fd[2], go[2], pidfd;
    siginfo_t info = { 0 };
    long long start;
    pid_t pid;
    char c;

    OK(pipe(go));
    if (child(&pid)) {
        OK(close(go[1]));
        GIVES(read(go[0], &c, 1), 0);
        _exit(7);
    }
    p = OK(ioeventpipe(8));
    start = now_ns();
    SUBMIT(TIMER, p, 1, .ioo_timeout = { 0, 3000000 });
    EXPECT(p, 1, 0, 0);
    CHECK(now_ns() - start >= 3000000);

    unix_pair(fd);
    ATTACH(fd[0], p, 99);
    SUBMIT(POLL, fd[0], 2, .ioo_arg = POLLIN | POLLOUT);
    EXPECT(p, 2, POLLOUT, 0);
    SUBMIT(POLL, fd[0], 3, .ioo_arg = POLLIN);
    QUIET(p);
    OK(write(fd[1], "x", 1));
    EXPECT(p, 3, POLLIN, 0);

    pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd == -1)
        return 0; /* not here */
    ATTACH(pidfd, p, 98);
    SUBMIT(WAITID, pidfd, 4, .ioo_buf = &info, .ioo_arg = WEXITED | WNOWAIT);
    QUIET(p);
    OK(close(go[1]));
    EXPECT(p, 4, 0, 0);
    SAME(info.si_pid, pid);
    SUBMIT(WAITID, pidfd, 5, .ioo_buf = &info, .ioo_arg = WEXITED);
    EXPECT(p, 5, 0, 0);
    SAME(info.si_pid, pid);
    SAME(info.si_signo, SIGCHLD);
    SAME(info.si_code, CLD_EXITED);
    SAME(info.si_status, 7);
    FAILS(waitid(P_PID, (id_t)pid, &info, WEXITED), ECHILD); /* it was taken */
    STAYS_QUIET(p);
    return 0;
}
