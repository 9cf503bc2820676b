/* What the tests of connections that are reset share. */
#ifndef TEST_RESET_H
#define TEST_RESET_H

#include "test.h"

/* Two connected TCP sockets; closing fd[0] resets the connection. */
static inline void reset_pair(int fd[2])
{
    struct linger hard = { 1, 0 };

    CHECK(tcp_pair(AF_INET, fd));
    OK(setsockopt(fd[0], SOL_SOCKET, SO_LINGER, &hard, sizeof hard));
}

/* The reset has come to the other end. */
static inline void reset_by_peer(int fd[2])
{
    struct pollfd gone = { .fd = fd[1] };

    OK(close(fd[0]));
    CHECK(poll(&gone, 1, test_timeout() * 500) == 1 && (gone.revents & (POLLERR | POLLHUP)));
}

/* A read or write as queued, or at once with IOEVENT_INLINE: its result, or -errno. */
static inline long outcome(const struct test_place *place, int p, void *user, long r)
{
    struct ioevent e;

    if (r != -1)
        return r;
    if (errno != EIOEVENTQUEUED)
        return -errno;
    e = test_harvest(place, p);
    if (e.ioe_user != user || (e.ioe_result != -1 && e.ioe_errno != 0))
        test_fail(place, e.ioe_errno, "the event is user %p result %d", e.ioe_user, e.ioe_result);
    return e.ioe_result == -1 ? -e.ioe_errno : e.ioe_result;
}

#define OUTCOME(p, user, call) ({ TEST_HERE(#call); outcome(&test_place_, p, USER(user), call); })

#endif
