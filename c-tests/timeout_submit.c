/*
 * ioo_timeout bounds one operation, longer or shorter than the descriptor's timeout; 0 is the descriptor's: rule 2.9,
 * rule 4.6.
 */
#include "test.h"

enum { MS = 1000000 };

static int p, fd[2];
static char b[8];

static void limit(time_t sec, long ns)
{
    GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTTIMEO, &(struct timespec){ sec, ns }), 0);
}

static struct ioevent_op operation(int kind, uintptr_t user, time_t sec, long ns)
{
    return (struct ioevent_op){ .ioo_kind = (unsigned short)kind, .ioo_fd = fd[0], .ioo_user = USER(user),
                                .ioo_buf = b, .ioo_len = 8, .ioo_arg = kind == IOEVENT_OP_POLL ? POLLPRI : 0,
                                .ioo_timeout = { sec, ns } };
}

static long long submit(int kind, uintptr_t user, time_t sec, long ns)
{
    struct ioevent_op op = operation(kind, user, sec, ns);
    long long start = now_ns();

    GIVES(ioevent_submit(&op, 1), 1);
    return start;
}

static void run(int kind)
{
    long long start;

    /* the operation's alone, and shorter than the descriptor's */
    for (int with = 0; with < 2; with++) {
        limit(with ? 3600 : 0, 0);
        start = submit(kind, 1, 0, 10 * MS);
        EXPECT(p, 1, -1, ETIMEDOUT);
        CHECK(now_ns() - start >= 10 * MS);
        submit(kind, 2, 0, 0); /* the descriptor's: an hour, or none */
        STAYS_QUIET(p);
        GIVES(ioevent_cancel(fd[0]), 1);
        EXPECT(p, 2, -1, ECANCELED);
    }

    /* longer than the descriptor's */
    limit(0, 10 * MS);
    submit(kind, 3, 3600, 0);
    submit(kind, 4, LONG_MAX, 999999999);
    start = submit(kind, 5, 0, 0);
    EXPECT(p, 5, -1, ETIMEDOUT);
    CHECK(now_ns() - start >= 10 * MS);
    STAYS_QUIET(p);
    GIVES(ioevent_cancel2(fd[0], IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(4)), 1);
    EXPECT(p, 4, -1, ECANCELED);
    GIVES(ioevent_cancel(fd[0]), 1);
    EXPECT(p, 3, -1, ECANCELED);

    /* several of one call, each its own */
    {
        struct ioevent_op op[3];
        bool seen[3] = { false };
        static const long times[3] = { 200 * MS, 5 * MS, 0 }; /* the last is the descriptor's */

        limit(0, 100 * MS);
        for (int i = 0; i < 3; i++)
            op[i] = operation(kind, (uintptr_t)i, 0, times[i]);
        start = now_ns();
        GIVES(ioevent_submit(op, 3), 3);
        for (int i = 0; i < 3; i++) {
            struct ioevent e = HARVEST(p);
            uintptr_t user = (uintptr_t)e.ioe_user;

            SAME(e.ioe_errno, ETIMEDOUT);
            CHECK(user < 3 && !seen[user]);
            seen[user] = true;
            CHECK(now_ns() - start >= (times[user] ? times[user] : 100 * MS));
        }
    }
    STAYS_QUIET(p);
}

int main(void)
{
    p = OK(ioeventpipe(8));
    unix_pair(fd);
    ATTACH(fd[0], p, 99);
    run(IOEVENT_OP_READ);
    run(IOEVENT_OP_RECV);
    run(IOEVENT_OP_POLL);
    fill_up(fd[0]);
    run(IOEVENT_OP_WRITE);
    OK(write(fd[1], "abc", 3)); /* none of them waits any more */
    SAME(drain(fd[0]), 3);
    return 0;
}
