/*
 * ioevent_wait returns a count, 0 at timeout and never early; NULL waits for ever, 0 does not wait; its timeout
 * decides, whatever O_NONBLOCK says: rule 3.2.
 */
#include "test.h"

static int p;
static pid_t tid;

static void *waiter(void *timeout)
{
    struct ioevent e[3];

    TELL_TID(tid);
    GIVES(ioevent_wait(p, e, 3, timeout), 1);
    CHECK(e[0].ioe_user == USER(5));
    return NULL;
}

static void run(bool outstanding)
{
    struct timespec times[] = { { 0, 1 }, { 0, 500000 }, { 0, 1000000 }, { 0, 3700000 }, { 0, 30000000 },
                                { 0, 150000000 } };
    struct timespec longs[] = { { 1000000, 0 }, { INT64_MAX / 1000000000, 999999999 }, { INT64_MAX, 999999999 } };
    struct ioevent e[3], post = { USER(5), 50, 0 };
    int fd[2];
    char b[4];

    unix_pair(fd);
    if (outstanding) {
        ATTACH(fd[0], p, 1);
        QUEUED(ioevent_read(fd[0], b, 4));
    }
    GIVES(ioevent_wait(p, e, 3, &no_wait), 0);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        long long start = now_ns();

        GIVES(ioevent_wait(p, e, 3, &times[i]), 0);
        CHECK(now_ns() - start >= times[i].tv_nsec);
    }
    for (int i = 0; i < 4; i++) { /* for ever, and nearly so */
        pthread_t t;

        SET(tid, 0);
        t = start_thread(waiter, i < 3 ? &longs[i] : NULL);
        UNTIL_ASLEEP(tid);
        for (int k = 0; k < 100; k++) { /* it does not give up */
            breathe();
            SAME(pthread_tryjoin_np(t, NULL), EBUSY);
        }
        GIVES(ioevent_write(p, &post, sizeof post), sizeof post);
        ZERO(pthread_join(t, NULL));
    }
    /* what is there is given at once, with any timeout */
    for (int i = 0; i < 4; i++) {
        GIVES(ioevent_write(p, &post, sizeof post), sizeof post);
        GIVES(ioevent_write(p, &post, sizeof post), sizeof post);
        GIVES(ioevent_wait(p, e, 3, i < 3 ? &longs[i] : NULL), 2);
    }
    GIVES(ioevent_close(fd[0]), 0);
    if (outstanding)
        EXPECT(p, 1, -1, ECANCELED);
    OK(close(fd[1]));
}

int main(void)
{
    for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
        p = OK(ioeventpipe2(8, flags));
        run(false);
        run(true);
        GIVES(ioevent_close(p), 0);
    }
    return 0;
}
