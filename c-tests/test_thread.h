/*
 * Threads and time: threads that are started and waited for, what they share, and the clock.
 */
#ifndef TEST_THREAD_H
#define TEST_THREAD_H

#include "test_check.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

static inline pthread_t start_thread(void *(*f)(void *), void *arg)
{
    pthread_t t;

    ZERO(pthread_create(&t, NULL, f, arg));
    return t;
}

static inline long long now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline void breathe(void)
{
    struct timespec t = { 0, 1000000 };

    nanosleep(&t, NULL);
}

/* Waits until the condition holds. */
#define UNTIL(condition)                                                        \
    do {                                                                        \
        TEST_HERE("until " #condition);                                         \
        while (!(condition))                                                    \
            breathe();                                                          \
    } while (0)

/* The thread sleeps in the kernel. */
static inline bool is_asleep(pid_t tid)
{
    char path[64], text[512], *state;
    int fd;
    ssize_t n;

    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1) {
        NEEDS_PROC();
        return false;
    }
    n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return false;
    text[n] = 0;
    state = strrchr(text, ')');
    return state && state[1] == ' ' && state[2] == 'S';
}

#define UNTIL_ASLEEP(tid_variable) \
    UNTIL(__atomic_load_n(&(tid_variable), __ATOMIC_SEQ_CST) != 0 && is_asleep(tid_variable))
#define TELL_TID(tid_variable) __atomic_store_n(&(tid_variable), gettid(), __ATOMIC_SEQ_CST)

#define GET(variable)        __atomic_load_n(&(variable), __ATOMIC_SEQ_CST)
#define SET(variable, value) __atomic_store_n(&(variable), value, __ATOMIC_SEQ_CST)
#define ADD(variable, value) __atomic_add_fetch(&(variable), value, __ATOMIC_SEQ_CST)

#endif
