/*
 * A thread that harvests a pipe which is closed at the same time gets EBADF, however early or late it comes: rule 3.7.
 * For an instant, while the pipe was being closed, it was EINVAL.
 */
#include "test.h"

enum { THREADS = 4, ROUNDS = 300 };
static int p;

static void *harvest(void *which)
{
    struct ioevent e;
    struct iovec v = {&e, sizeof e};
    struct timespec long_time = {60, 0};

    switch ((intptr_t)which) {
    case 0: FAILS(ioevent_wait(p, &e, 1, NULL), EBADF); break;
    case 1: FAILS(ioevent_wait(p, &e, 1, &long_time), EBADF); break;
    case 2: FAILS(ioevent_read(p, &e, sizeof e), EBADF); break;
    default: FAILS(ioevent_readv(p, &v, 1), EBADF); break;
    }
    return NULL;
}

int main(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[THREADS];

        p = OK(ioeventpipe(8));
        for (intptr_t i = 0; i < THREADS; i++)
            ZERO(pthread_create(&threads[i], NULL, harvest, (void *)i));
        if (round % 3 == 0)
            breathe();
        GIVES(ioevent_close(p), 0);
        for (int i = 0; i < THREADS; i++)
            ZERO(pthread_join(threads[i], NULL));
    }
    return 0;
}
