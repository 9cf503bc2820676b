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
    struct ioevent e;
};

static void *waits(void *arg)
{
    struct waiter *w = arg;
    struct timespec t = { 0, 700000000 };

    TELL_TID(w->tid);
    w->result = ioevent_wait(w->p, &w->e, 1, w->limited ? &t : NULL);
    w->why = errno;
    SET(w->ended, 1);
    return NULL;
}

/*
 * What may come: the time limit, the word that the pipe is not there, or the event of an operation whose descriptor is
 * not there. The kernel ends the last that it closes first, and with it the other end of a stream before the pipe: a
 * thread that is quick, or a kernel that is slow (an emulated one), sees that.
 */
static bool is_told(const struct waiter *w, bool limited)
{
    if (w->result == 1)
        return w->e.ioe_result == -1 ? w->e.ioe_errno == EBADF
                                     : w->e.ioe_result == POLLNVAL && w->e.ioe_user == USER(1);
    return (limited && w->result == 0) || (w->result == -1 && w->why == EBADF);
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
    for (int i = 0; i < THREADS; i++) /* on a slow machine its time may be over before that is seen */
        UNTIL(GET(w[i].ended) || (GET(w[i].tid) != 0 && is_asleep(w[i].tid)));
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
        if (!is_told(&w[i], limited))
            dprintf(2, "thread %d: %d, errno %d; user %p result %d errno %d\n", i, w[i].result, w[i].why,
                    w[i].e.ioe_user, w[i].e.ioe_result, w[i].e.ioe_errno);
        CHECK(is_told(&w[i], limited));
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
