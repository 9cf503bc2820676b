/*
 * A handled signal makes a harvest fail with EINTR unless events were read, SA_RESTART or not, and no event is lost:
 * rule 3.2.
 */
#include "test.h"

static int p, done, how;
static pid_t tid;

static void on_signal(int sig)
{
    (void)sig;
}

static void *reader(void *unused)
{
    struct ioevent e[2];
    struct timespec t = test_long();

    TELL_TID(tid);
    if (how == 0)
        FAILS(ioevent_read(p, e, sizeof e), EINTR);
    else if (how == 1)
        FAILS(ioevent_wait(p, e, 2, NULL), EINTR);
    else
        FAILS(ioevent_wait(p, e, 2, &t), EINTR);
    SET(done, 1);
    return unused;
}

int main(void)
{
    struct sigaction action = { .sa_handler = on_signal };
    int fd[2];
    char b[8];

    p = OK(ioeventpipe(8));
    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    for (int flags = 0; flags < 2; flags++)
        for (how = 0; how < 3; how++) {
            pthread_t t;

            action.sa_flags = flags ? SA_RESTART : 0;
            OK(sigaction(SIGUSR1, &action, NULL));
            QUEUED(ioevent_read(fd[0], b, sizeof b));
            SET(done, 0);
            SET(tid, 0);
            t = start_thread(reader, NULL);
            UNTIL_ASLEEP(tid);
            SAME(GET(done), 0);
            UNTIL((pthread_kill(t, SIGUSR1), GET(done)));
            ZERO(pthread_join(t, NULL));
            OK(write(fd[1], "ab", 2));
            EXPECT(p, 1, 2, 0);
        }
    return 0;
}
