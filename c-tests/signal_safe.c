/*
 * Functions on descriptors that are not attached are async-signal-safe where libc's are: a handler that interrupts the
 * library anywhere writes, reads and closes; and one wakes a harvest through an attached eventfd: rule 5.1.
 */
#include "test.h"
#include <sys/eventfd.h>
#include <sys/time.h>

static int plain[2], wake, handled;

static void on_alarm(int sig)
{
    int saved = errno, fd;
    char c = 'x';
    uint64_t one = 1;

    (void)sig;
    if (ioevent_write(plain[1], &c, 1) == 1)
        CHECK(ioevent_read(plain[0], &c, 1) == 1);
    fd = ioevent_fcntl(plain[0], F_DUPFD_CLOEXEC, 200);
    if (fd >= 0)
        CHECK(ioevent_close(fd) == 0);
    if (write(wake, &one, sizeof one) == -1)
        _exit(1);
    handled++;
    errno = saved;
}

int main(void)
{
    int p = OK(ioeventpipe(8)), fd[2], i = 0;
    struct sigaction action = { .sa_handler = on_alarm };
    struct itimerval often = { { 0, 500 }, { 0, 500 } }, never = { { 0, 0 }, { 0, 0 } };
    uint64_t n;
    char b[8];
    struct ioevent e;

    OK(pipe(plain));
    wake = OK(eventfd(0, 0));
    ATTACH(wake, p, 2);
    QUEUED(ioevent_read(wake, &n, sizeof n));
    OK(sigaction(SIGALRM, &action, NULL));
    OK(setitimer(ITIMER_REAL, &often, NULL));
    while (*(volatile int *)&handled < 300) {
        int r;

        unix_pair(fd);
        ATTACH(fd[0], p, 1);
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        if (i++ % 2)
            while (write(fd[1], "x", 1) != 1)
                ;
        GIVES(ioevent_close(fd[0]), 0);
        OK(close(fd[1]));
        for (int ones = 0; ones < 1;) { /* woken by the handler in between */
            r = ioevent_wait(p, &e, 1, NULL);
            if (r == -1) {
                SAME(errno, EINTR);
                continue;
            }
            if (e.ioe_user == USER(2))
                QUEUED(ioevent_read(wake, &n, sizeof n));
            else
                ones++;
        }
    }
    /* nothing but the handler wakes this */
    for (int k = 0; k < 20;) {
        int r = ioevent_wait(p, &e, 1, NULL);

        if (r == -1) {
            SAME(errno, EINTR);
            continue;
        }
        CHECK(e.ioe_user == USER(2));
        QUEUED(ioevent_read(wake, &n, sizeof n));
        k++;
    }
    OK(setitimer(ITIMER_REAL, &never, NULL));
    OK((long)signal(SIGALRM, SIG_IGN)); /* the last one does not come into the middle of the end */
    return 0;
}
