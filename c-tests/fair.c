/*
 * Descriptors take turns: those whose operations always finish at once do not starve another, nor a posted event:
 * rule 3.4. A harvesting thread looks into the kernel at least once in 64 events, or once a harvest that takes more.
 */
#include "test.h"
#include <sys/eventfd.h>

enum { BUSY = 8 };

static void run(int flags, const struct timespec *timeout, int harvest_size, int outstanding)
{
    int p = OK(ioeventpipe2(BUSY * outstanding + 1, flags)), busy[BUSY], fd[2];
    static uint64_t ticks;
    char b[4];
    struct ioevent e[128];

    for (int i = 0; i < BUSY; i++) {
        busy[i] = OK(eventfd(0, EFD_SEMAPHORE));
        OK(eventfd_write(busy[i], UINT64_MAX - 1)); /* readable for longer than this test lives */
        ATTACH(busy[i], p, i);
        for (int k = 0; k < outstanding; k++)
            QUEUED(ioevent_read(busy[i], &ticks, sizeof ticks));
    }
    unix_pair(fd);
    ATTACH(fd[0], p, 99);
    for (int round = 0; round < 20; round++) {
        int others = 0;
        bool seen = false;

        if (round % 2)
            QUEUED(ioevent_read(fd[0], b, 4));
        for (int n = 0; n < 300;) { /* it waits while the others are busy */
            int got = OK(ioevent_wait(p, e, harvest_size, timeout));

            n += got;
            for (int i = 0; i < got; i++) {
                CHECK(e[i].ioe_user != USER(99));
                QUEUED(ioevent_read(busy[(uintptr_t)e[i].ioe_user], &ticks, sizeof ticks));
            }
        }
        if (round % 2)
            OK(write(fd[1], "x", 1));
        else
            GIVES(ioevent_write(p, &(struct ioevent){ USER(99), 1, 0 }, sizeof *e), sizeof *e);
        while (!seen) {
            int got = OK(ioevent_wait(p, e, harvest_size, timeout));

            for (int i = 0; i < got; i++)
                if (e[i].ioe_user == USER(99)) {
                    seen = true;
                } else {
                    others += !seen;
                    QUEUED(ioevent_read(busy[(uintptr_t)e[i].ioe_user], &ticks, sizeof ticks));
                }
            /* those until the look, those that were ready then, and the harvest that takes more */
            CHECK(seen || others <= 64 + BUSY * outstanding + harvest_size);
        }
    }
    GIVES(ioevent_close(p), 0);
    for (int i = 0; i < BUSY; i++)
        OK(close(busy[i]));
    OK(close(fd[0]));
    OK(close(fd[1]));
}

int main(void)
{
    struct timespec t = test_long();
    const struct timespec *timeouts[] = { NULL, &no_wait, &t };

    for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK)
        for (int i = 0; i < 3; i++) {
            run(flags, timeouts[i], 1, 1);
            run(flags, timeouts[i], 8, 1);
            run(flags, timeouts[i], 1, 4);
            run(flags, timeouts[i], 128, 8);
        }
    return 0;
}
