/*
 * Attachments, and the events of a pipe.
 */
#ifndef TEST_EVENT_H
#define TEST_EVENT_H

#include "test_check.h"
#include "test_watchdog.h"

#include <time.h>

static inline struct timespec test_long(void)
{
    return (struct timespec){ .tv_sec = test_timeout() / 2 + 1 };
}

static const struct timespec no_wait = { 0, 0 };

#define ATTACH(fd, p, user) GIVES(ioevent_fcntl(fd, F_SETIOEVENTPIPE, (int)(p), USER(user)), 0)
#define DETACH(fd)          GIVES(ioevent_fcntl(fd, F_SETIOEVENTPIPE, -1, (void *)NULL), 0)

/* The descriptor is attached to this pipe (-1: to none) with this user pointer. */
#define ATTACHED(fd, p, user)                                                   \
    do {                                                                        \
        int p_ = -77;                                                           \
        void *u_ = USER(77);                                                    \
        GIVES(ioevent_fcntl(fd, F_GETIOEVENTPIPE, &p_, &u_), 0);                \
        SAME(p_, p);                                                            \
        SAME((uintptr_t)u_, (uintptr_t)(user));                                 \
    } while (0)

static inline struct ioevent test_harvest(const struct test_place *place, int p)
{
    struct ioevent event = { USER(0x5a5a), -123456, -123456 };
    struct timespec timeout = test_long();
    int n;

    do
        n = ioevent_wait(p, &event, 1, &timeout);
    while (n == -1 && errno == EINTR);
    if (n != 1)
        test_fail(place, errno, n == 0 ? "no event came" : "the harvest gave %d", n);
    return event;
}

/* The next event of a pipe; fails if there is none for a long time. */
#define HARVEST(p) ({ TEST_HERE("harvest of " #p); test_harvest(&test_place_, p); })

static inline void test_expect(const struct test_place *place, int p, void *user, long result, int err)
{
    struct ioevent e = test_harvest(place, p);

    if (e.ioe_user != user || e.ioe_result != result || e.ioe_errno != err)
        test_fail(place, e.ioe_errno, "the event is user %p result %d errno %d, not user %p result %ld errno %d",
                  e.ioe_user, e.ioe_result, e.ioe_errno, user, result, err);
}

/* The next event of the pipe is this one. */
#define EXPECT(p, user, result, err)                                            \
    do {                                                                        \
        TEST_HERE("event of " #p ": " #user ", " #result ", " #err);            \
        test_expect(&test_place_, p, USER(user), result, err);                  \
    } while (0)

/* There is no event now. */
#define QUIET(p)                                                                \
    do {                                                                        \
        struct ioevent q_;                                                      \
        GIVES(ioevent_wait(p, &q_, 1, &no_wait), 0);                            \
    } while (0)

static inline void test_stays_quiet(const struct test_place *place, int p)
{
    struct timespec shortly = { 0, 30000000 };
    struct ioevent e;
    int n = ioevent_wait(p, &e, 1, &shortly);

    if (n == 1)
        test_fail(place, e.ioe_errno, "an event came: user %p result %d", e.ioe_user, e.ioe_result);
    if (n != 0)
        test_fail(place, errno, "the harvest gave %d", n);
}

/* There is no event now, nor shortly after: what would come twice has time to come. */
#define STAYS_QUIET(p)                                                          \
    do {                                                                        \
        TEST_HERE("harvest of " #p);                                            \
        test_stays_quiet(&test_place_, p);                                      \
    } while (0)

/* The call fails with this errno, at once or in an event; never both (rule 2.6). */
#define EITHER(call, p, user, err)                                              \
    do {                                                                        \
        TEST_HERE(#call);                                                       \
        errno = 0;                                                              \
        long long r_ = (long long)(call);                                       \
        if (r_ != -1 || (errno != EIOEVENTQUEUED && errno != (err)))            \
            test_fail(&test_place_, errno, "gave %lld, not an error nor queued", r_); \
        if (errno == EIOEVENTQUEUED)                                            \
            test_expect(&test_place_, p, USER(user), -1, err);                  \
        QUIET(p);                                                               \
    } while (0)

#endif
