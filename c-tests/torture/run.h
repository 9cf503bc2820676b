/*
 * One run of the torture: its settings, how it begins, and how it ends.
 * 
 * The program that includes this says how many threads there are if nothing else is said: THREADS.
 */
#ifndef TORTURE_RUN_H
#define TORTURE_RUN_H

#include "pauses.h"
#include "threads.h"

#include <getopt.h>

static void set_up_pools(void)
{
    const size_t small_size = (size_t)SMALL_OPS * SMALL_ROOM, big_size = (size_t)BIG_OPS * BIG_ROOM;
    unsigned char *rooms =
        mmap(NULL, small_size + big_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_rwlockattr_t attr;

    CHECK(rooms != MAP_FAILED);
    put_pattern(table, 0, sizeof table);
    memset(poison, POISON, sizeof poison);
    for (unsigned i = 0; i < OPS; i++) {
        struct op *op = &ops[i];

        op->index = i;
        op->room = (struct room *)(rooms + (i < SMALL_OPS ? (size_t)i * SMALL_ROOM
                                                          : small_size + (size_t)(i - SMALL_OPS) * BIG_ROOM));
        op->size = (i < SMALL_OPS ? SMALL_ROOM : BIG_ROOM) - sizeof *op->room;
        release(op);
    }
    pthread_rwlockattr_init(&attr);
#ifdef __GLIBC__
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
    for (unsigned i = 0; i < LIVES; i++) {
        lives[i].index = i;
        pthread_mutex_init(&lives[i].mutex, NULL);
        lives[i].next = free_lives;
        lives[i].generation = 1; /* FOREIGN is nobody's */
        free_lives = &lives[i];
    }
    for (int i = 0; i < CHANS; i++) {
        pthread_mutex_init(&chans[i].mutex, NULL);
        pthread_mutex_init(&chans[i].order, NULL);
        for (int k = 0; k < ENDS; k++)
            pthread_rwlock_init(&chans[i].end[k].plain, &attr);
        chans[i].next = free_chans;
        free_chans = &chans[i];
    }
    for (int i = 0; i < CONNS; i++) {
        conns[i].next = free_conns;
        free_conns = &conns[i];
    }
    for (int i = 0; i < PIPE_OBJECTS; i++) {
        pthread_rwlock_init(&pipe_objects[i].lock, NULL);
        retire_pipe(&pipe_objects[i]);
    }
    for (int i = 0; i < SLOTS; i++)
        pthread_rwlock_init(&slots[i].lock, &attr);
    OK(mkdtemp(dir) ? 0 : -1);
    pattern_file = open_file("pattern", true);
}

static void from_environment(const char *name, long *value)
{
    const char *s = getenv(name);

    if (s && *s)
        *value = strtol(s, NULL, 0);
}

static void read_settings(int argc, char **argv)
{
    long n = THREADS;
    int option;

    seconds = slow() || THREADS == 0 ? 10 : 60;
    from_environment("TORTURE_SECONDS", &seconds);
    from_environment("TORTURE_SEED", &seed);
    from_environment("TORTURE_THREADS", &n);
    from_environment("TORTURE_KINDS", &kind_mask);
    from_environment("TORTURE_ACTIONS", &action_mask);
    optind = 1;
    while ((option = getopt(argc, argv, "t:s:r:k:x:")) != -1) {
        long value = optarg ? strtol(optarg, NULL, 0) : 0;

        switch (option) {
        case 't': n = value; break;
        case 's': seconds = value; break;
        case 'r': seed = value; break;
        case 'k': kind_mask = value; break;
        case 'x': action_mask = value; break;
        default:
            fprintf(stderr, "usage: torture [-t THREADS] [-s SECONDS] [-r SEED] [-k KINDS] [-x ACTIONS]\n");
            _exit(2);
        }
    }
    threads = n < 0 ? 0 : n > THREADS_MAX ? THREADS_MAX : (int)n;
    kind_mask &= (1 << KINDS) - 1;
    if (!kind_mask)
        kind_mask = (1 << KINDS) - 1;
}

/* Before the watchdog is started it has to know how long this may take. */
__attribute__((constructor(101)))
static void allow_time(int argc, char **argv)
{
    char text[32];

#ifndef __GLIBC__ /* others give a constructor no arguments */
    argc = 1;
    argv = (char *[]){ (char *)"torture", NULL };
#endif
    read_settings(argc, argv);
    if (test_timeout() < seconds + 60 + (slow() ? 90 : 0)) {
        snprintf(text, sizeof text, "%ld", seconds + 60 + (slow() ? 90 : 0));
        setenv("TEST_TIMEOUT", text, 1);
    }
}

static int torture(int argc, char **argv)
{
    struct worker *w = &workers[THREADS_MAX];
    long long begun = now_ns(), end, pause;
    uint64_t random;
    struct rlimit files = { 4096, 4096 };

    read_settings(argc, argv);
    random = (uint64_t)seed * 6364136223846793005ull + 1442695040888963407ull;
    setrlimit(RLIMIT_NOFILE, &files);
    printf("torture: seed %ld, %d threads, %ld s\n", seed, threads, seconds);
    fflush(stdout);
    set_up_pools();
    for (int i = 0; i <= THREADS_MAX; i++)
        workers[i].seed = (uint64_t)next_random(&random) << 32 | next_random(&random) | 1;
    for (int i = 0; i < PIPES; i++)
        pipes[i] = open_pipe(w);
    for (int i = 0; i < SLOTS; i++)
        slots[i].chan = open_chan(w);
    for (int i = 0; i < threads; i++)
        workers[i].thread = start_thread(work, &workers[i]);
    end = begun + seconds * SECOND;
    for (int round = 1; now_ns() < end; round++) {
        for (pause = now_ns() + 900 * MS; now_ns() < pause && now_ns() < end;)
            if (threads > 0) {
                tend();
                breathe();
            } else {
                act_without_threads(w);
            }
        pause_all(w);
        if (round % 3 == 0 && now_ns() < end) {
            start_over(w, true);
        } else {
            settle(false);
            check_counts();
        }
        tend();
        resume();
    }
    SET(over, 1);
    pause_all(w);
    SET(pausing, 0);
    for (int i = 0; i < threads; i++)
        ZERO(pthread_join(workers[i].thread, NULL));
    start_over(w, false);
    for (int i = 0; i < PIPES; i++)
        GIVES(ioevent_close(pipes[i]->fd), 0);
    OK(rmdir(dir));
    say();
    CHECK(seconds < 2 || action_mask || harvests > 100);
    printf("torture: seed %ld, %d threads: passed after %.1f s\n", seed, threads, (double)(now_ns() - begun) / 1e9);
    return 0;
}

#endif
