/*
 * Threads that make the first pipes of a process at the same time, and fork at once: each child is a process of its own,
 * in which a pipe can be made: rule 5.2. (One went on while another prepared the process for forks; its child took the
 * parent's pipes for its own, and ioeventpipe gave EPERM.)
 */
#include "test.h"

enum { ROUNDS = 40, THREADS = 4 };

static pthread_barrier_t together;

static void *first(void *unused)
{
    pid_t pid;

    (void)unused;
    pthread_barrier_wait(&together);
    OK(ioeventpipe(1));
    if (child(&pid)) {
        int q = OK(ioeventpipe(4));

        GIVES(ioevent_close(q), 0);
        _exit(0);
    }
    CHILD_PASSED(pid);
    return NULL;
}

int main(void)
{
    if (ON_ASAN)
        SKIP("malloc of the address sanitizer hangs in such a child");
    for (int i = 0; i < ROUNDS; i++) {
        pid_t pid;

        if (child(&pid)) {
            pthread_t t[THREADS];

            ZERO(pthread_barrier_init(&together, NULL, THREADS));
            for (int k = 0; k < THREADS; k++)
                t[k] = start_thread(first, NULL);
            for (int k = 0; k < THREADS; k++)
                ZERO(pthread_join(t[k], NULL));
            _exit(0);
        }
        CHILD_PASSED(pid);
    }
    return 0;
}
