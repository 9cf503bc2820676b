/*
 * The time of an operation runs from queuing, also while it waits behind another one of its order, which stays:
 * rule 4.6, rule 2.5.
 */
#include "test.h"

enum { MS = 1000000 };

static int p, fd[2];
static struct ioevent e[8];

static void limit(long ns)
{
    GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTTIMEO, &(struct timespec){ 0, ns }), 0);
}

/* Queues with a user pointer and a limit; returns when its time is certainly over. */
static long long read_limited(uintptr_t user, char *b, size_t n, long ns)
{
    limit(ns);
    ATTACH(fd[0], p, user);
    QUEUED(ioevent_read(fd[0], b, n));
    return now_ns() + ns;
}

static void pass(long long until)
{
    while (now_ns() < until)
        breathe();
}

static void reads(void)
{
    char a[8], b[8], c[8];
    long long over, start = now_ns();

    /* behind one that waits without a limit */
    read_limited(1, a, 1, 0);
    read_limited(2, b, 8, 10 * MS);
    read_limited(3, c, 2, 0);
    EXPECT(p, 2, -1, ETIMEDOUT);
    CHECK(now_ns() - start >= 10 * MS);
    QUIET(p);
    OK(write(fd[1], "abcdef", 6));
    EXPECT(p, 1, 1, 0);
    EXPECT(p, 3, 2, 0);
    CHECK(a[0] == 'a' && memcmp(c, "bc", 2) == 0);
    SAME(drain(fd[0]), 3);

    /* its turn comes half way: the time that is left counts */
    read_limited(1, a, 1, 0);
    over = read_limited(2, b, 8, 40 * MS);
    pass(over - 20 * MS);
    OK(write(fd[1], "x", 1));
    e[0] = HARVEST(p);
    if (e[0].ioe_user == USER(2)) { /* on a machine that was busy for so long */
        EXPECT(p, 1, 1, 0);
    } else {
        CHECK(e[0].ioe_user == USER(1) && e[0].ioe_result == 1);
        pass(over);
        GIVES(ioevent_wait(p, e, 8, &no_wait), 1);
        CHECK(e[0].ioe_user == USER(2));
    }
    SAME(e[0].ioe_errno, ETIMEDOUT);
}

static void writes(void)
{
    static char out[8 << 20], in[8 << 20];
    long long start;

    limit(0);
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_write(fd[0], out, sizeof out));
    limit(10 * MS);
    ATTACH(fd[0], p, 2);
    start = now_ns();
    QUEUED(ioevent_write(fd[0], "too late", 8));
    EXPECT(p, 2, -1, ETIMEDOUT);
    CHECK(now_ns() - start >= 10 * MS);
    limit(0);
    ATTACH(fd[0], p, 3);
    QUEUED(ioevent_write(fd[0], "z", 1));
    QUIET(p);
    read_all(fd[1], in, sizeof in);
    EXPECT(p, 1, sizeof out, 0);
    EXPECT(p, 3, 1, 0);
    read_all(fd[1], in, 1);
    SAME(in[0], 'z');
}

int main(void)
{
    p = OK(ioeventpipe(8));
    unix_pair(fd);
    ATTACH(fd[0], p, 0);
    reads();
    writes();
    STAYS_QUIET(p);
    SAME(drain(fd[1]), 0);
    return 0;
}
