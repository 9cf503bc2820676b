/*
 * The watchdog: ends a test that hangs, and says where each thread is.
 *
 * TEST_TIMEOUT=seconds   how long it waits (60); slow tools such as valgrind want more
 */
#ifndef TEST_WATCHDOG_H
#define TEST_WATCHDOG_H

#include "test_check.h"

#include <dirent.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

static sem_t test_over, test_watching;
static pthread_t test_watcher;
static pid_t test_pid;

static inline int test_timeout(void)
{
    const char *s = getenv("TEST_TIMEOUT");
    int seconds = s ? atoi(s) : 0;

    return seconds > 0 ? seconds : 60;
}

/* How many times longer than usual something is watched where all takes longer (an emulated machine): 1 as a rule. */
static inline int test_slowness(void)
{
    return test_timeout() < 120 ? 1 : test_timeout() / 60;
}

static inline void test_show_file(pid_t tid, const char *name)
{
    char path[64], line[256];
    int fd;
    ssize_t n;

    snprintf(path, sizeof path, "/proc/self/task/%d/%s", tid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
    if (fd >= 0)
        close(fd);
    while (n > 0 && line[n - 1] == '\n')
        n--;
    dprintf(2, " %s %.*s;", name, (int)(n > 0 ? n : 1), n > 0 ? line : "?");
}

/*
 * What every thread of the process is at, those of the library too. Takes no memory, which a thread that hangs may have
 * locked.
 */
static inline void test_show_threads(void)
{
    char entries[4096];
    int dir = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long n;

    while (dir >= 0 && (n = syscall(SYS_getdents64, dir, entries, sizeof entries)) > 0)
        for (long at = 0; at < n;) {
            const struct dirent64 *entry = (const void *)(entries + at);
            pid_t tid = atoi(entry->d_name);

            at += entry->d_reclen;
            if (tid <= 0)
                continue;
            dprintf(2, "  thread %d:", tid);
            test_show_file(tid, "comm");
            test_show_file(tid, "wchan");
            test_show_file(tid, "syscall");
            dprintf(2, "\n");
        }
}

/* Waits for the semaphore until that time on CLOCK_MONOTONIC. */
static inline int test_wait_until(sem_t *sem, const struct timespec *end)
{
#ifdef __GLIBC__
    return sem_clockwait(sem, CLOCK_MONOTONIC, end);
#else
    struct timespec now, real;

    clock_gettime(CLOCK_MONOTONIC, &now);
    clock_gettime(CLOCK_REALTIME, &real);
    real.tv_sec += end->tv_sec - now.tv_sec;
    return sem_timedwait(sem, &real);
#endif
}

static inline void *test_watch(void *unused)
{
    struct timespec end;

    (void)unused;
    sem_post(&test_watching);
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += test_timeout();
    while (test_wait_until(&test_over, &end) != 0) {
        if (errno != ETIMEDOUT)
            continue;
        dprintf(2, "watchdog: still running after %d s\n", test_timeout());
        for (int i = 0; i < TEST_SLOTS; i++) {
            const struct test_place *place = __atomic_load_n(&test_slots[i].place, __ATOMIC_SEQ_CST);
            pid_t tid = __atomic_load_n(&test_slots[i].tid, __ATOMIC_SEQ_CST);

            if (!place)
                continue;
            dprintf(2, "  thread %d at %s:%d: %s\n", tid, place->file, place->line, place->what);
        }
        test_show_threads();
        _exit(1);
    }
    return NULL;
}

__attribute__((constructor))
static void test_start(void)
{
    sigset_t all, old;

    test_pid = getpid();
    sem_init(&test_over, 0, 0);
    sem_init(&test_watching, 0, 0);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old); /* the signals of a test are not for the watchdog */
    if (pthread_create(&test_watcher, NULL, test_watch, NULL) != 0)
        _exit(1);
    /* A new thread allocates, and a child that is forked meanwhile hangs in the address sanitizer's malloc. */
    while (sem_wait(&test_watching) != 0)
        ;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

__attribute__((destructor))
static void test_end(void)
{
    if (getpid() != test_pid)
        return;
    sem_post(&test_over);
    pthread_join(test_watcher, NULL);
}

#endif
