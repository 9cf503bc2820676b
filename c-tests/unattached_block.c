/* On a descriptor that is not attached a call blocks, and is interrupted by signals, as libc's is: rule 1.1. */
#include "test.h"

static int fd[2];
static pid_t tid;
static int done, expect_eintr, handled;

static void on_signal(int sig)
{
    (void)sig;
    ADD(handled, 1);
}

static void *reader(void *unused)
{
    char c = 0;

    TELL_TID(tid);
    if (GET(expect_eintr)) {
        FAILS(ioevent_read(fd[0], &c, 1), EINTR);
    } else {
        GIVES(ioevent_read(fd[0], &c, 1), 1);
        SAME(c, 'x');
    }
    SET(done, 1);
    return unused;
}

int main(void)
{
    struct sigaction action = { .sa_handler = on_signal };
    pthread_t t;

    OK(ioeventpipe(1));
    OK(pipe(fd));

    /* it waits for data */
    t = start_thread(reader, NULL);
    UNTIL_ASLEEP(tid);
    SAME(GET(done), 0);
    OK(write(fd[1], "x", 1));
    ZERO(pthread_join(t, NULL));

    /* a handler without SA_RESTART interrupts it */
    OK(sigaction(SIGUSR1, &action, NULL));
    SET(done, 0);
    SET(tid, 0);
    SET(expect_eintr, 1);
    t = start_thread(reader, NULL);
    UNTIL_ASLEEP(tid);
    UNTIL((pthread_kill(t, SIGUSR1), GET(done)));
    ZERO(pthread_join(t, NULL));

    /* one with SA_RESTART does not */
    action.sa_flags = SA_RESTART;
    OK(sigaction(SIGUSR1, &action, NULL));
    SET(done, 0);
    SET(tid, 0);
    SET(expect_eintr, 0);
    SET(handled, 0);
    t = start_thread(reader, NULL);
    UNTIL_ASLEEP(tid);
    UNTIL((pthread_kill(t, SIGUSR1), GET(handled) >= 3));
    SAME(GET(done), 0);
    OK(write(fd[1], "x", 1));
    ZERO(pthread_join(t, NULL));
    return 0;
}
