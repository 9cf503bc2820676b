/*
 * A harvest that does not wait takes all that is there, wherever it is: what its thread's lane holds, and what the
 * kernel has; with one thread, and where several make calls: rule 3.2. With several it took what was in its lane alone.
 */
#include "test.h"

static int p;

/* A thread that only makes a call. */
static void *comes(void *unused)
{
    (void)unused;
    GIVES(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
    return NULL;
}

static void run(void)
{
    int fd[2], out[2];
    char b[4];

    unix_pair(fd), unix_pair(out);
    ATTACH(fd[0], p, 1);
    ATTACH(out[0], p, 2);
    for (int round = 0; round < 200; round++) {
        struct ioevent e[8];
        bool seen[3] = { false };

        QUEUED(ioevent_read(fd[0], b, sizeof b)); /* it waits, and the kernel will tell */
        OK(write(fd[1], "a", 1));
        QUEUED(ioevent_write(out[0], "b", 1)); /* it is done at once, and its event is in a lane */
        GIVES(ioevent_wait(p, e, 8, &no_wait), 2);
        for (int i = 0; i < 2; i++) {
            uintptr_t user = (uintptr_t)e[i].ioe_user;

            CHECK((user == 1 || user == 2) && !seen[user] && e[i].ioe_result == 1);
            seen[user] = true;
        }
        read_all(out[1], b, 1);
    }
    GIVES(ioevent_close(fd[0]), 0);
    GIVES(ioevent_close(out[0]), 0);
}

int main(void)
{
    pthread_t thread;

    p = OK(ioeventpipe(8));
    run();
    ZERO(pthread_create(&thread, NULL, comes, NULL));
    ZERO(pthread_join(thread, NULL));
    run();
    GIVES(ioevent_close(p), 0);
    return 0;
}
