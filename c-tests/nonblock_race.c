/*
 * Descriptors of one open file, used by several threads at the same time, where the library has to set O_NONBLOCK for
 * the length of one call: no call waits in the kernel because another thread has just cleared the flag: rule 4.5, rule
 * 2.1. (An accept that waited there would hold its thread until a connection comes, and none does.)
 */
#include "test.h"

enum { THREADS = 4, ROUNDS = 4000 };

static int l;

static void *worker(void *unused)
{
    int p = OK(ioeventpipe(2)), mine = OK(fcntl(l, F_DUPFD_CLOEXEC, 0));

    (void)unused;
    ATTACH(mine, p, 1);
    for (int i = 0; i < (on_valgrind() ? ROUNDS / 20 : ROUNDS); i++) {
        QUEUED(ioevent_accept(mine, NULL, NULL));
        GIVES(ioevent_cancel(mine), 1);
        EXPECT(p, 1, -1, ECANCELED);
    }
    GIVES(ioevent_close(mine), 0);
    GIVES(ioevent_close(p), 0);
    return NULL;
}

int main(void)
{
    struct address a;
    pthread_t t[THREADS];

    l = listener(AF_INET, 4, &a);
    for (int i = 0; i < THREADS; i++)
        t[i] = start_thread(worker, NULL);
    for (int i = 0; i < THREADS; i++)
        ZERO(pthread_join(t[i], NULL));
    SAME(OK(fcntl(l, F_GETFL)) & O_NONBLOCK, 0);
    return 0;
}
