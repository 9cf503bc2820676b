/* What one thread posts, one harvesting thread reads in that order: rule 3.5. Two threads post, one harvests. */
#include "test.h"

enum { THREADS = 2, N = 20000 };

static int p;

static void *poster(void *arg)
{
    int batch = 1;

    for (int i = 0; i < N;) {
        struct ioevent e[7];
        int n = batch = batch % 7 + 1;
        ssize_t r;

        if (n > N - i)
            n = N - i;
        for (int k = 0; k < n; k++)
            e[k] = (struct ioevent){ arg, i + k, 0 };
        r = ioevent_write(p, e, (size_t)n * sizeof *e);
        if (r == -1) {
            SAME(errno, EIOEVENTFULL);
            sched_yield();
            continue;
        }
        CHECK(r > 0 && (size_t)r % sizeof *e == 0);
        i += (int)((size_t)r / sizeof *e);
    }
    return NULL;
}

int main(void)
{
    pthread_t t[THREADS];
    int next[THREADS] = { 0 };

    p = OK(ioeventpipe(20));
    for (uintptr_t i = 0; i < THREADS; i++)
        t[i] = start_thread(poster, (void *)i);
    for (int got = 0; got < THREADS * N;) {
        struct ioevent e[5];
        int n = OK(ioevent_wait(p, e, 5, NULL));

        for (int i = 0; i < n; i++)
            SAME(e[i].ioe_result, next[(uintptr_t)e[i].ioe_user]++);
        got += n;
    }
    for (int i = 0; i < THREADS; i++)
        ZERO(pthread_join(t[i], NULL));
    STAYS_QUIET(p);
    return 0;
}
