/*
 * A waitid that waits is ended by cancel, as what polls; by a timeout, detaching and closing; the child is then still
 * there to be waited for, and the siginfo_t is the program's again: rule 4.7, rule 4.6, rule 4.3, rule 2.3.
 */
#include "test.h"

int main(void)
{
    int p = OK(ioeventpipe(8)), gate[2], fd;
    struct timespec soon = { 0, 10000000 };
    siginfo_t info;
    pid_t pid;
    char c;

    for (int how = 0; how < 6; how++) {
        int number, err = ECANCELED;

        OK(pipe2(gate, O_CLOEXEC));
        if (child(&pid)) {
            close(gate[1]);
            _exit(read(gate[0], &c, 1) == 0 ? 7 : 1);
        }
        OK(close(gate[0]));
        number = fd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (fd == -1)
            SKIP("no pidfd");
        ATTACH(fd, p, 1);
        if (how == 2)
            GIVES(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &soon), 0);
        QUEUED(ioevent_waitid(P_PIDFD, (id_t)fd, &info, how == 1 ? WEXITED | WNOWAIT : WEXITED));
        switch (how) {
        case 0: GIVES(ioevent_cancel(fd), 1); break;
        case 1:
            GIVES(ioevent_cancel2(fd, IOEVENT_CANCEL_IN | IOEVENT_CANCEL_OUT, NULL), 0);
            GIVES(ioevent_cancel2(fd, IOEVENT_CANCEL_POLL, NULL), 1);
            break;
        case 2: err = ETIMEDOUT; break;
        case 3: DETACH(fd); break;
        case 4: GIVES(ioevent_close(fd), 0); break;
        case 5:
            GIVES(ioevent_close(p), 0);
            p = OK(ioeventpipe(8));
            break;
        }
        if (how != 5)
            EXPECT(p, 1, -1, err);
        memset(&info, 0xee, sizeof info);
        if (how == 4)
            fd = (int)OK(syscall(SYS_pidfd_open, pid, 0));
        SAME(fd, number);
        ATTACH(fd, p, 2);
        if (how == 2)
            GIVES(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &no_wait), 0);
        QUEUED(ioevent_poll(fd, POLLIN));
        OK(close(gate[1]));
        EXPECT(p, 2, POLLIN, 0);
        STAYS_QUIET(p);
        CHECK(is_all(&info, 0xee, sizeof info));
        QUEUED(ioevent_waitid(P_PIDFD, (id_t)fd, &info, WEXITED));
        EXPECT(p, 2, 0, 0);
        SAME(info.si_pid, pid);
        SAME(info.si_status, 7);
        GIVES(ioevent_close(fd), 0);
    }
    STAYS_QUIET(p);
    return 0;
}
