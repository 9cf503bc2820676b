/*
 * What the tests of descriptors that are ready and never let an operation finish share: such an operation waits, costs
 * next to no processor time, and keeps neither the harvest from its time limit nor others from theirs.
 */
#ifndef TEST_SPIN_H
#define TEST_SPIN_H

#include "test.h"

static inline long long cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/*
 * How much processor time so many milliseconds may cost: far less than a thread that spins would take; on a slow
 * machine, where each try costs more, still less.
 */
static inline long long little_ns(int ms)
{
    return ms * (test_slowness() > 1 ? 600000LL : 300000LL) + 20000000LL;
}

/* The pipe gives nothing for so long, the harvest ends at its limit (far sooner than never), and it costs little. */
static inline void test_idle(const struct test_place *place, int p, int ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000L };
    long long begin = now_ns(), cpu = cpu_ns();
    struct ioevent e;
    int n = ioevent_wait(p, &e, 1, &t);

    if (n != 0)
        test_fail(place, errno, "the harvest gave %d: user %p result %d errno %d", n, e.ioe_user, e.ioe_result,
                  e.ioe_errno);
    if (now_ns() - begin > ms * 1000000LL + 2000000000LL)
        test_fail(place, 0, "the harvest took %lld ms", (now_ns() - begin) / 1000000);
    if (!on_valgrind() && cpu_ns() - cpu > little_ns(ms))
        test_fail(place, 0, "%lld ms of processor time", (cpu_ns() - cpu) / 1000000);
}

/* A harvest of so many milliseconds (on a slow machine more) gives nothing and costs little. */
#define IDLE(p, ms) ({ TEST_HERE("idle harvest of " #p); test_idle(&test_place_, p, (ms) * test_slowness()); })

/* So many milliseconds (on a slow machine more) in which no thread harvests cost little. */
#define IDLE_ALONE(ms)                                                          \
    do {                                                                        \
        int ms_ = (ms) * test_slowness();                                       \
        struct timespec t_ = { ms_ / 1000, ms_ % 1000 * 1000000L };             \
        long long cpu_ = cpu_ns();                                              \
        TEST_HERE("idle without a harvest");                                    \
        nanosleep(&t_, NULL);                                                   \
        if (!on_valgrind() && cpu_ns() - cpu_ > little_ns(ms_))                 \
            test_fail(&test_place_, 0, "%lld ms of processor time", (cpu_ns() - cpu_) / 1000000); \
    } while (0)

/* ---- an AF_UNIX datagram receiver that is full ---- */

struct receiver {
    int fd;
    struct address address;
    int waiting; /* messages in it that nobody asked for here */
};

static inline void make_receiver(struct receiver *r)
{
    r->fd = bound_socket(AF_UNIX, SOCK_DGRAM, &r->address);
    r->waiting = 0;
}

static inline void fill_receiver(struct receiver *r)
{
    int s = OK(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));

    while (sendto(s, "full", 4, MSG_DONTWAIT, SOCKADDR(&r->address), r->address.length) == 4)
        r->waiting++;
    CHECK(errno == EAGAIN && r->waiting > 0);
    OK(close(s));
}

static inline void empty_receiver(struct receiver *r)
{
    char b[8];

    for (; r->waiting > 0; r->waiting--)
        SAME(recv(r->fd, b, sizeof b, 0), 4);
}

#endif
