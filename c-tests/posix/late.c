/* Calls from destructors of thread-specific data, from atexit and destructors, and after the main thread's end. */
#include "check.h"

#include <limits.h>
#include <pthread.h>

/* Of destructors that set a value again: POSIX has no more for sure. */
enum { ROUNDS = _POSIX_THREAD_DESTRUCTOR_ITERATIONS };

static int key_works, exit_works, last_works;
static int result[2];
static pthread_key_t key;

static void key_ends(void *round)
{
    key_works += io_works();
    /* Once more, when those of other libraries may have run. */
    if ((intptr_t)round < ROUNDS)
        pthread_setspecific(key, (void *)((intptr_t)round + 1));
}

static void *begin(void *unused)
{
    pthread_setspecific(key, (void *)1);
    return unused;
}

static void at_exit(void)
{
    exit_works = io_works();
}

__attribute__((destructor))
static void last(void)
{
    last_works = io_works();
    if (result[1]) {
        char good = (char)(exit_works && last_works);

        if (write(result[1], &good, 1) != 1)
            _exit(1);
    }
}

static void *after_main(void *main_thread)
{
    pthread_join(*(pthread_t *)main_thread, NULL);
    if (!io_works())
        _exit(1);
    exit(0);
}

int main(void)
{
    static pthread_t self;
    pthread_t t;
    pid_t child;
    char good = 0;

    GIVES(pthread_key_create(&key, key_ends), 0);
    GIVES(pthread_create(&t, NULL, begin, NULL), 0);
    GIVES(pthread_join(t, NULL), 0);
    GIVES(key_works, ROUNDS);

    GIVES(atexit(at_exit), 0);
    GIVES(pipe(result), 0);
    child = OK(fork());
    if (child == 0)
        exit(0);
    GIVES(child_status(child), 0);
    GIVES(read(result[0], &good, 1), 1);
    CHECK(good);
    result[1] = 0;

    self = pthread_self();
    GIVES(pthread_create(&t, NULL, after_main, &self), 0);
    pthread_exit(NULL);
}
