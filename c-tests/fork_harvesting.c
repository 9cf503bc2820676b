/*
 * fork while other threads harvest, queue and attach: the child is usable at once, with the library's locks free, and
 * the parent's threads go on: rule 5.2, rule 5.1.
 */
#include "test.h"

enum { THREADS = 2, FORKS = 60 };

static int over;
static long rounds[THREADS];

static void *busy(void *arg)
{
    int me = (int)(uintptr_t)arg, fd[2], p = OK(ioeventpipe2(8, O_CLOEXEC));
    char b[8];

    unix_pair(fd);
    while (!GET(over)) {
        ATTACH(fd[0], p, me);
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        OK(write(fd[1], "x", 1));
        EXPECT(p, me, 1, 0);
        if (GET(rounds[me]) % 7 == 0)
            DETACH(fd[0]);
        ADD(rounds[me], 1);
    }
    return NULL;
}

int main(void)
{
    pthread_t t[THREADS];

    if (ON_ASAN)
        SKIP("malloc of the address sanitizer hangs in such a child");
    for (uintptr_t i = 0; i < THREADS; i++)
        t[i] = start_thread(busy, (void *)i);
    for (int i = 0; i < FORKS; i++) {
        pid_t pid;
        long before[THREADS];

        for (int k = 0; k < THREADS; k++)
            before[k] = GET(rounds[k]);
        if (child(&pid)) {
            int q, fd[2];
            char b[8];

            alarm((unsigned)test_timeout() / 2 + 1);
            q = OK(ioeventpipe(4));
            unix_pair(fd);
            ATTACH(fd[0], q, 5);
            QUEUED(ioevent_read(fd[0], b, sizeof b));
            OK(write(fd[1], "abc", 3));
            EXPECT(q, 5, 3, 0);
            GIVES(ioevent_close(fd[0]), 0);
            GIVES(ioevent_close(q), 0);
            _exit(0);
        }
        CHILD_PASSED(pid);
        for (int k = 0; k < THREADS; k++)
            UNTIL(GET(rounds[k]) > before[k]);
    }
    SET(over, 1);
    for (int i = 0; i < THREADS; i++)
        ZERO(pthread_join(t[i], NULL));
    return 0;
}
