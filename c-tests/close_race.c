/*
 * Detach, attach and ioevent_close from one thread against operations and harvests of others: every EIOEVENTQUEUED has
 * its event: rule 2.2, rule 4.3, rule 5.1.
 */
#include "test.h"

enum { THREADS = 2, ROUNDS = 3000 };

static int p, q, fd[2], over;
static long queued, events;
/* The thread that writes comes in between those that read. */
#ifdef PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
static pthread_rwlock_t lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
#else
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
#endif

static void *user(void *unused)
{
    static char b[64];

    while (!GET(over)) {
        struct ioevent e[8];

        ZERO(pthread_rwlock_rdlock(&lock)); /* so that the number is no other file */
        for (int i = 0; i < 4; i++) {
            ssize_t n = i % 2 ? ioevent_recv(fd[0], b, 16, MSG_DONTWAIT)
                              : ioevent_send(fd[0], "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);

            if (n == -1 && errno == EIOEVENTQUEUED)
                ADD(queued, 1);
            else if (n == -1)
                CHECK(errno == EAGAIN || errno == EIOEVENTFULL || errno == EPIPE);
        }
        ZERO(pthread_rwlock_unlock(&lock));
        for (int i = 0; i < 2; i++)
            ADD(events, OK(ioevent_wait(i ? p : q, e, 8, &no_wait)));
    }
    return unused;
}

int main(void)
{
    pthread_t t[THREADS];

    p = OK(ioeventpipe(32));
    q = OK(ioeventpipe(32));
    unix_pair(fd);
    for (int i = 0; i < THREADS; i++)
        t[i] = start_thread(user, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        switch (round % 6) {
        case 0:
            ATTACH(fd[0], p, 1);
            break;
        case 1:
            send(fd[1], "abc", 3, MSG_DONTWAIT);
            ATTACH(fd[0], q, 2);
            break;
        case 2:
            DETACH(fd[0]);
            break;
        case 3:
            ATTACH(fd[0], p, 3);
            break;
        case 4:
            ioevent_cancel(fd[0]);
            drain(fd[1]);
            break;
        case 5:
            ZERO(pthread_rwlock_wrlock(&lock));
            GIVES(ioevent_close(fd[0]), 0);
            OK(close(fd[1]));
            unix_pair(fd);
            ZERO(pthread_rwlock_unlock(&lock));
            break;
        }
        if (round % 4 == 0)
            sched_yield();
    }
    SET(over, 1);
    for (int i = 0; i < THREADS; i++)
        ZERO(pthread_join(t[i], NULL));
    GIVES(ioevent_close(fd[0]), 0);
    for (int i = 0; i < 2; i++) {
        struct ioevent e[8];
        int n;

        while ((n = OK(ioevent_wait(i ? p : q, e, 8, &no_wait))) > 0)
            events += n;
    }
    SAME(events, queued);
    CHECK(queued > 0);
    return 0;
}
