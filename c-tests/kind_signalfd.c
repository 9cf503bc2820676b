/* A signalfd can be attached, blocking or not: it gives the signals of the process: rule 4.1, rule 2.4. */
#include "test.h"
#include <sys/signalfd.h>

static void run(int flags)
{
    int p = OK(ioeventpipe(8)), fd;
    sigset_t set;
    struct signalfd_siginfo info, two[2];

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    ZERO(pthread_sigmask(SIG_BLOCK, &set, NULL));
    fd = OK(signalfd(-1, &set, flags));
    ATTACH(fd, p, 1);

    QUEUED(ioevent_read(fd, &info, sizeof info));
    QUIET(p);
    OK(kill(getpid(), SIGUSR1));
    EXPECT(p, 1, sizeof info, 0);
    SAME(info.ssi_signo, SIGUSR1);
    SAME(info.ssi_pid, getpid());

    /* two that are pending already */
    OK(kill(getpid(), SIGUSR2));
    OK(kill(getpid(), SIGUSR1));
    QUIET(p);
    QUEUED(ioevent_read(fd, two, sizeof two));
    EXPECT(p, 1, sizeof two, 0);
    SAME(two[0].ssi_signo, SIGUSR1);
    SAME(two[1].ssi_signo, SIGUSR2);

    /* nothing is handed to it that is not in its mask */
    QUEUED(ioevent_read(fd, two, sizeof two));
    STAYS_QUIET(p);
    OK(kill(getpid(), SIGUSR2));
    EXPECT(p, 1, sizeof info, 0);
    GIVES(ioevent_close(fd), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    run(0);
    run(SFD_NONBLOCK);
    return 0;
}
