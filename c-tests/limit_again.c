/*
 * A time limit that nearly never is reached: a descriptor whose reads finish in time, again and again for longer than
 * the limit, sees none; the one that does not finish ends when its own time is over, not before; and a shorter limit
 * holds from the next read on, also where a longer one was set before: rules 4.6, 4.3.
 */
#include "test.h"

static long long now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void limit(int fd, long ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

    GIVES(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &t), 0);
}

/* The read that was queued after `since` ends no sooner than `ms` milliseconds after that. */
static void ends(int p, long user, long long since, long ms)
{
    EXPECT(p, user, -1, ETIMEDOUT);
    CHECK(now() - since >= ms * 1000000LL);
}

static void again(int p, int fd[2], long user, int kind)
{
    char b[16];
    struct iovec iov = { b, sizeof b };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    long long begin = now(), since = begin;

    limit(fd[0], 100);
    while (since - begin < 350000000LL) {
        since = now();
        switch (kind) {
        case 0: QUEUED(ioevent_read(fd[0], b, sizeof b)); break;
        case 1: QUEUED(ioevent_recv(fd[0], b, sizeof b, MSG_NOSIGNAL)); break;
        case 2: QUEUED(ioevent_readv(fd[0], &iov, 1)); break;
        default: QUEUED(ioevent_recvmsg(fd[0], &msg, 0));
        }
        QUIET(p);
        OK(write(fd[1], "abc", 3));
        struct ioevent e = HARVEST(p);
        /* a machine that stood still for so long is no fault */
        if (e.ioe_errno == ETIMEDOUT) {
            CHECK(now() - since >= 100000000LL);
            GIVES(read(fd[0], b, sizeof b), 3);
        } else {
            SAME(e.ioe_result, 3);
        }
    }
    since = now();
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    ends(p, user, since, 100);

    /* long, then short, then none */
    limit(fd[0], 60000);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    OK(write(fd[1], "abc", 3));
    EXPECT(p, user, 3, 0);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    limit(fd[0], 40);
    GIVES(ioevent_cancel(fd[0]), 1);
    EXPECT(p, user, -1, ECANCELED);
    since = now();
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    ends(p, user, since, 40);
    limit(fd[0], 0);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    STAYS_QUIET(p);
    OK(write(fd[1], "abc", 3));
    EXPECT(p, user, 3, 0);

    /* its own */
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_READ, .ioo_fd = fd[0], .ioo_user = USER(77), .ioo_buf = b,
                             .ioo_len = sizeof b, .ioo_timeout = { 0, 30000000 } };
    for (int i = 0; i < 3; i++) {
        since = now();
        GIVES(ioevent_submit(&op, 1), 1);
        ends(p, 77, since, 30);
    }
}

int main(void)
{
    int p = OK(ioeventpipe(64)), q = OK(ioeventpipe(64)), fd[2], slow[2];
    char b[16];

    /* one that takes ten seconds goes beside the others */
    CHECK(tcp_pair(AF_INET, slow));
    ATTACH(slow[0], q, 9);
    limit(slow[0], 10000);
    QUEUED(ioevent_read(slow[0], b, sizeof b));
    OK(write(slow[1], "a", 1));
    EXPECT(q, 9, 1, 0);
    long long since = now();
    QUEUED(ioevent_read(slow[0], b, sizeof b));

    for (int kind = 0; kind < 4; kind++) {
        if (kind % 2)
            unix_pair(fd);
        else
            CHECK(tcp_pair(AF_INET, fd));
        ATTACH(fd[0], p, kind);
        again(p, fd, kind, kind);
        /* to another pipe and back, with a read that waits */
        limit(fd[0], 50);
        long long queued = now();
        QUEUED(ioevent_read(fd[0], b, 1));
        ATTACH(fd[0], q, 20 + kind);
        ends(p, kind, queued, 50);
        queued = now();
        QUEUED(ioevent_read(fd[0], b, 1));
        ends(q, 20 + kind, queued, 50);
        GIVES(ioevent_close(fd[0]), 0);
        OK(close(fd[1]));
    }
    ends(q, 9, since, 10000);
    GIVES(ioevent_close(q), 0);
    GIVES(ioevent_close(p), 0);
    return 0;
}
