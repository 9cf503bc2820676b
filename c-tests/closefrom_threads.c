/*
 * Threads wait in harvests of pipes that are lost by close_range(2): none spins, those with a time limit end at it or
 * say EBADF, and the others may wait (nothing leads to them any more) or say so: rules 3.2, 3.7, 5.5.
 */
#include "test_closefrom.h"

enum { THREADS = 4 };

struct waiter {
    int p;
    bool limited;
    pid_t tid;
    int result, why, ended;
};

static void *waits(void *arg)
{
    struct waiter *w = arg;
    struct ioevent e;
    struct timespec t = { 0, 700000000 };

    TELL_TID(w->tid);
    w->result = ioevent_wait(w->p, &e, 1, w->limited ? &t : NULL);
    w->why = errno;
    SET(w->ended, 1);
    return NULL;
}

static void waiting(int with, bool limited)
{
    struct waiter w[THREADS];
    pthread_t t[THREADS];
    int p[PIPES];

    begin_work(with & ~WITH_TIMERS);
    for (int i = 0; i < THREADS; i++) {
        w[i] = (struct waiter){ .p = pipes[i % npipes], .limited = limited };
        t[i] = start_thread(waits, &w[i]);
    }
    for (int i = 0; i < THREADS; i++)
        UNTIL_ASLEEP(w[i].tid);
    close_from(3);
    CHECK(own_cpu(300000000) < 100000000);
    if (!limited)
        for (int i = 0; i < npipes; i++)
            p[i] = OK(ioeventpipe(8));
    for (int i = 0; i < THREADS; i++) {
        if (limited)
            UNTIL(GET(w[i].ended));
        else if (!GET(w[i].ended))
            continue;
        dprintf(2, "thread %d: %d, errno %d\n", i, w[i].result, w[i].why); /* should it fail */
        CHECK((limited && w[i].result == 0) || (w[i].result == -1 && w[i].why == EBADF));
        ZERO(pthread_join(t[i], NULL));
    }
    if (limited)
        p[0] = OK(ioeventpipe(8));
    pipe_works(p[0]);
    CHECK(own_cpu(200000000) < 100000000);
}

int main(void)
{
    want_numbers();
    for (int limited = 0; limited < 2; limited++) {
        int with = WITH_SOCKET;

        test_variant = limited;
        IN_CHILD(waiting(with, limited));
        with = WITH_ALL;
        IN_CHILD(waiting(with, limited));
        with = WITH_NONBLOCK;
        IN_CHILD(waiting(with, limited));
    }
    return 0;
}
