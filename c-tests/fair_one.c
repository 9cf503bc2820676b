/*
 * One descriptor with many operations that finish at once, always refilled, does not keep the event of another from
 * coming: rule 3.4. Two threads harvest.
 */
#include "test.h"
#include <sys/eventfd.h>

enum { OUTSTANDING = 200 };

static int p, busy, fd[2], answered, over, live = OUTSTANDING;
static uint64_t ticks;
static char b[4];

static void *worker(void *unused)
{
    struct ioevent e[16];

    while (GET(live) > 0) {
        struct timespec t = { 0, 10000000 };
        int n = OK(ioevent_wait(p, e, 16, &t));

        for (int i = 0; i < n; i++)
            if (e[i].ioe_user == USER(2)) {
                ADD(answered, 1);
            } else if (!GET(over)) {
                QUEUED(ioevent_read(busy, &ticks, sizeof ticks));
            } else {
                ADD(live, -1);
            }
    }
    return unused;
}

int main(void)
{
    pthread_t t[2];

    p = OK(ioeventpipe(OUTSTANDING + 1));
    busy = OK(eventfd(0, EFD_SEMAPHORE));
    OK(eventfd_write(busy, UINT64_MAX - 1));
    ATTACH(busy, p, 1);
    unix_pair(fd);
    ATTACH(fd[0], p, 2);
    for (int i = 0; i < OUTSTANDING; i++)
        QUEUED(ioevent_read(busy, &ticks, sizeof ticks));
    for (int i = 0; i < 2; i++)
        t[i] = start_thread(worker, NULL);
    for (int i = 0; i < 200; i++) {
        QUEUED(ioevent_read(fd[0], b, 4));
        OK(write(fd[1], "x", 1));
        UNTIL(GET(answered) == i + 1);
    }
    SET(over, 1);
    for (int i = 0; i < 2; i++)
        ZERO(pthread_join(t[i], NULL));
    STAYS_QUIET(p);
    return 0;
}
