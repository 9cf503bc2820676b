/* Under a rain of signals every event is harvested exactly once, by blocking harvests too: rule 3.2, rule 2.2. */
#include "test.h"

enum { N = 3000 };

static int p, fd[2], finished;
static pthread_t main_thread;

static void on_signal(int sig)
{
    (void)sig;
}

static void *rain(void *unused)
{
    while (!GET(finished)) {
        pthread_kill(main_thread, SIGUSR1);
        sched_yield();
    }
    return unused;
}

static void *writer(void *unused)
{
    for (int i = 0; i < N; i++)
        GIVES(send(fd[1], &i, sizeof i, 0), sizeof i);
    return unused;
}

int main(void)
{
    struct sigaction action = { .sa_handler = on_signal };
    pthread_t t, w;

    p = OK(ioeventpipe(8));
    OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd));
    ATTACH(fd[0], p, 1);
    OK(sigaction(SIGUSR1, &action, NULL));
    main_thread = pthread_self();
    t = start_thread(rain, NULL);
    w = start_thread(writer, NULL);
    for (int i = 0; i < N; i++) {
        struct ioevent e;
        int got = -1;

        QUEUED(ioevent_read(fd[0], &got, sizeof got));
        while (ioevent_read(p, &e, sizeof e) == -1)
            SAME(errno, EINTR);
        SAME(e.ioe_result, sizeof got);
        SAME(got, i);
    }
    SET(finished, 1);
    ZERO(pthread_join(t, NULL));
    ZERO(pthread_join(w, NULL));
    STAYS_QUIET(p);
    return 0;
}
