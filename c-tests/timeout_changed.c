/*
 * The timeout of a descriptor counts for what is queued from then on; operations that wait side by side have each its
 * own: rule 4.6.
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

int main(void)
{
    char a[8];
    long long over;

    p = OK(ioeventpipe(8));
    unix_pair(fd);
    ATTACH(fd[0], p, 0);

    /* a new limit is not for what is queued already */
    over = read_limited(1, a, 1, 10 * MS);
    limit(999 * MS);
    pass(over);
    GIVES(ioevent_wait(p, e, 8, &no_wait), 1);
    SAME(e[0].ioe_errno, ETIMEDOUT);
    read_limited(1, a, 8, 0);
    limit(MS);
    STAYS_QUIET(p);
    limit(0);
    OK(write(fd[1], "abc", 3));
    EXPECT(p, 1, 3, 0);

    /* many, each with less time than the one before */
    over = 0;
    for (int i = 0; i < 8; i++)
        over = read_limited((uintptr_t)i, a, 8, (20 - 2 * i) * MS) + 2 * i * MS;
    pass(over);
    GIVES(ioevent_wait(p, e, 8, &no_wait), 8);
    for (int i = 0; i < 8; i++)
        SAME(e[i].ioe_errno, ETIMEDOUT);
    OK(write(fd[1], "none of them took it", 20));
    SAME(drain(fd[0]), 20);
    STAYS_QUIET(p);
    return 0;
}
