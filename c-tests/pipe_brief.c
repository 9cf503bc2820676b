/*
 * A pipe that is closed just after it was made, before the library's thread has begun to run or while it begins: the
 * close comes back, each time: rules 3.7, 5.1. With a thread that keeps the processor busy, so that others begin late.
 */
#include "test.h"

static int over;

static void *burns(void *unused)
{
    volatile unsigned n = 0;

    while (!GET(over))
        n++;
    return unused;
}

int main(void)
{
    uint64_t random = 88172645463325252;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    pthread_t t[8];
    int burners = on_valgrind() ? 0 : processors > 8 ? 8 : (int)processors, fd[2];
    char b[8];

    unix_pair(fd);
    for (int i = 0; i < burners; i++)
        t[i] = start_thread(burns, NULL);
    for (int i = 0; i < (on_valgrind() ? 50 : 1500); i++) {
        int p = OK(ioeventpipe2(4, i & 1 ? O_NONBLOCK : 0));

        for (unsigned k = next_random(&random) % 2000; k; k--)
            __asm__ volatile("");
        if (i % 4 == 3) {
            ATTACH(fd[0], p, 1);
            QUEUED(ioevent_read(fd[0], b, sizeof b));
        }
        if (i % 8 == 5)
            sched_yield();
        GIVES(ioevent_close(p), 0);
    }
    SET(over, 1);
    for (int i = 0; i < burners; i++)
        ZERO(pthread_join(t[i], NULL));
    return 0;
}
