/*
 * accept and connect are ended with ETIMEDOUT, and can be made again: rule 4.6. A connect waits where the queue of the
 * listener is full.
 */
#include "test.h"

enum { LIMIT = 8000000 };

static int p;

/* Attaches with a limit. */
static void limited(int fd)
{
    ATTACH(fd, p, fd);
    GIVES(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &(struct timespec){ 0, LIMIT }), 0);
}

/* The operation that was queued last, after this time, is ended. */
static void ended(int fd, long long start)
{
    EXPECT(p, fd, -1, ETIMEDOUT);
    CHECK(now_ns() - start >= LIMIT);
    QUIET(p);
}

static void no_limit(int fd)
{
    GIVES(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &no_wait), 0);
}

int main(void)
{
    struct address a;
    int l = listener(AF_UNIX, 0, &a), c;
    long long start;

    p = OK(ioeventpipe(8));
    limited(l);
    start = now_ns();
    QUEUED(ioevent_accept(l, NULL, NULL));
    ended(l, start);

    do { /* until its queue is full */
        c = OK(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    } while (connect(c, SOCKADDR(&a), a.length) == 0);
    SAME(errno, EAGAIN);
    limited(c);
    start = now_ns();
    QUEUED(ioevent_connect(c, SOCKADDR(&a), a.length));
    ended(c, start);
    no_limit(l);
    no_limit(c);
    QUEUED(ioevent_accept(l, NULL, NULL));
    CHECK(HARVEST(p).ioe_result > 2);
    QUEUED(ioevent_connect(c, SOCKADDR(&a), a.length));
    EXPECT(p, c, 0, 0);
    STAYS_QUIET(p);
    return 0;
}
