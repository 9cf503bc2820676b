/*
 * Threads wait in harvests of pipes that are lost by close_range(2): none spins, those with a time limit end at it or say
 * EBADF, and all others say so when the number becomes a pipe again: rules 3.2, 3.7, 5.5. Threads that close all
 * descriptors while others use the library do no more harm than that.
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
        UNTIL(GET(w[i].ended));
        CHECK((limited && w[i].result == 0) || (w[i].result == -1 && w[i].why == EBADF));
        ZERO(pthread_join(t[i], NULL));
    }
    if (limited)
        p[0] = OK(ioeventpipe(8));
    pipe_works(p[0]);
    CHECK(own_cpu(200000000) < 100000000);
}

/* A thread that makes pipes, uses them and closes them, as far as they are there. */
static void *uses(void *over)
{
    char b[8];

    while (!GET(*(int *)over)) {
        int p = ioeventpipe(8), s[2] = { -1, -1 };
        struct ioevent e;
        struct timespec t = { 0, 1000000 };

        if (p == -1)
            continue;
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && ioevent_fcntl(s[0], F_SETIOEVENTPIPE, p, USER(1)) == 0) {
            (void)ioevent_read(s[0], b, sizeof b);
            (void)!send(s[1], "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
            (void)ioevent_wait(p, &e, 1, &t);
        }
        (void)ioevent_close(s[0]);
        (void)close(s[1]);
        (void)ioevent_close(p);
    }
    return NULL;
}

static void meanwhile(int with)
{
    int over = 0;
    pthread_t t = start_thread(uses, &over);

    (void)with;
    for (int i = 0; i < 200; i++) {
        close_from(3);
        if (i % 8 == 0)
            breathe();
    }
    SET(over, 1);
    ZERO(pthread_join(t, NULL));
    CHECK(own_cpu(200000000) < 100000000);
    close_from(3);
    pipe_works(OK(ioeventpipe(16)));
}

int main(void)
{
    want_numbers();
    signal(SIGPIPE, SIG_IGN);
    for (int limited = 0; limited < 2; limited++) {
        int with = WITH_SOCKET;

        test_variant = limited;
        IN_CHILD(waiting(with, limited));
        with = WITH_ALL;
        IN_CHILD(waiting(with, limited));
        with = WITH_NONBLOCK;
        IN_CHILD(waiting(with, limited));
        IN_CHILD(meanwhile(with));
    }
    return 0;
}
