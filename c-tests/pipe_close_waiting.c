/* Threads that wait in a harvest get EBADF when the pipe is closed: rule 3.7. */
#include "test.h"

enum { THREADS = 3 };

static int p;
static pid_t tid[THREADS];

static void *waiter(void *arg)
{
    int i = (int)(uintptr_t)arg;
    struct ioevent e;
    struct timespec t = test_long();

    TELL_TID(tid[i]);
    if (i == 0)
        FAILS(ioevent_wait(p, &e, 1, NULL), EBADF);
    else if (i == 1)
        FAILS(ioevent_wait(p, &e, 1, &t), EBADF);
    else
        FAILS(ioevent_read(p, &e, sizeof e), EBADF);
    return NULL;
}

int main(void)
{
    for (int round = 0; round < 20; round++) {
        pthread_t t[THREADS];
        int fd[2];
        char b[4];

        p = OK(ioeventpipe2(4, O_CLOEXEC));
        unix_pair(fd);
        ATTACH(fd[0], p, 1);
        QUEUED(ioevent_read(fd[0], b, 4));
        for (uintptr_t i = 0; i < THREADS; i++) {
            SET(tid[i], 0);
            t[i] = start_thread(waiter, (void *)i);
        }
        for (int i = 0; i < THREADS; i++)
            UNTIL_ASLEEP(tid[i]);
        GIVES(ioevent_close(p), 0);
        for (int i = 0; i < THREADS; i++)
            ZERO(pthread_join(t[i], NULL));
        OK(close(fd[0]));
        OK(close(fd[1]));
    }
    return 0;
}
