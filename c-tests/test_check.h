/*
 * Checks that say where they failed. Each is also where its thread is, for the watchdog.
 */
#ifndef TEST_CHECK_H
#define TEST_CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <ioevent.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct test_place {
    const char *file;
    int line;
    const char *what;
};

struct test_slot {
    pid_t tid;
    const struct test_place *place;
};

enum { TEST_SLOTS = 64 };

static struct test_slot test_slots[TEST_SLOTS];
static int test_nslots;
static __thread struct test_slot *test_slot;

static inline void test_here(const struct test_place *place)
{
    if (!test_slot) {
        int i = __atomic_fetch_add(&test_nslots, 1, __ATOMIC_SEQ_CST);
        test_slot = &test_slots[i < TEST_SLOTS ? i : TEST_SLOTS - 1];
        __atomic_store_n(&test_slot->tid, gettid(), __ATOMIC_SEQ_CST);
    }
    __atomic_store_n(&test_slot->place, place, __ATOMIC_SEQ_CST);
}

#define TEST_HERE(text)                                                         \
    static const struct test_place test_place_ = { __FILE__, __LINE__, text };  \
    test_here(&test_place_)

__attribute__((noreturn, format(printf, 3, 4)))
static inline void test_fail(const struct test_place *place, int err, const char *format, ...)
{
    char text[512];
    va_list args;
    int old;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old); /* a cancelled thread shall say it, too */
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    dprintf(2, "%s:%d: %s: %s; errno %d (%s)\n", place->file, place->line, place->what, text, err,
            ioevent_strerror(err));
    _exit(1);
}

/* A user pointer from a number or a pointer. */
#define USER(u) ((void *)(uintptr_t)(u))

#define CHECK(condition)                                                        \
    do {                                                                        \
        TEST_HERE(#condition);                                                  \
        if (!(condition))                                                       \
            test_fail(&test_place_, errno, "is false");                         \
    } while (0)

/* Two integers are equal. */
#define SAME(a, b)                                                              \
    do {                                                                        \
        TEST_HERE(#a " is " #b);                                                \
        long long a_ = (long long)(a), b_ = (long long)(b);                     \
        if (a_ != b_)                                                           \
            test_fail(&test_place_, errno, "%lld is not %lld", a_, b_);         \
    } while (0)

/* The call succeeds; its result is the value. */
#define OK(call)                                                                \
    ({                                                                          \
        TEST_HERE(#call);                                                       \
        __typeof__(call) r_ = (call);                                           \
        if (r_ == (__typeof__(call))-1)                                         \
            test_fail(&test_place_, errno, "failed");                           \
        r_;                                                                     \
    })

/* The call gives this result. */
#define GIVES(call, result)                                                     \
    do {                                                                        \
        TEST_HERE(#call);                                                       \
        long long r_ = (long long)(call), e_ = (long long)(result);             \
        if (r_ != e_)                                                           \
            test_fail(&test_place_, errno, "gave %lld, not %lld", r_, e_);      \
    } while (0)

/* The call gives -1 and this errno. */
#define FAILS(call, error)                                                      \
    do {                                                                        \
        TEST_HERE(#call);                                                       \
        errno = 0;                                                              \
        long long r_ = (long long)(call);                                       \
        if (r_ != -1 || errno != (error))                                       \
            test_fail(&test_place_, errno, "gave %lld, not -1 with errno %d (%s)", r_, (error), #error); \
    } while (0)

/* The operation is queued. */
#define QUEUED(call) FAILS(call, EIOEVENTQUEUED)

/* A pthread function gives 0. */
#define ZERO(call)                                                              \
    do {                                                                        \
        TEST_HERE(#call);                                                       \
        int r_ = (call);                                                        \
        if (r_ != 0)                                                            \
            test_fail(&test_place_, r_, "failed");                              \
    } while (0)

/* There is no /proc, where most machines have one. */
static inline int has_no_proc(void)
{
    return access("/proc/self", F_OK) == -1;
}

#define SKIP(why)                                                               \
    do {                                                                        \
        fprintf(stderr, "skipped: %s\n", why);                                  \
        exit(77);                                                               \
    } while (0)

#define NEEDS_PROC()                                                            \
    do {                                                                        \
        if (has_no_proc())                                                      \
            SKIP("no /proc");                                                   \
    } while (0)

#endif
