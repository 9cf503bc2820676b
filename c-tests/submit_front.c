/*
 * ioevent_submit returns how many operations were taken from the front; if none was, -1, and errno says why: rule 2.9.
 * A bad operation in the middle, a pipe that becomes full in the middle, no operations, and bad arguments.
 */
#include "test.h"

enum { N = 5 };

static int p, fd[2], other[2];

/* N operations that finish at once, with user pointers from 1 on. */
static void fill(struct ioevent_op *op)
{
    for (int i = 0; i < N; i++)
        op[i] = (struct ioevent_op){ .ioo_kind = IOEVENT_OP_POLL, .ioo_fd = fd[0], .ioo_user = USER(i + 1),
                                     .ioo_arg = POLLOUT };
}

/* The operation with this number is bad: what is before it is taken, and nothing else. */
static void bad(struct ioevent_op *op, int number, int err)
{
    bool seen[N + 1] = { false };

    if (number > 0)
        GIVES(ioevent_submit(op, N), number);
    for (int i = 0; i < number; i++) {
        struct ioevent e = HARVEST(p);
        uintptr_t user = (uintptr_t)e.ioe_user;

        SAME(e.ioe_result, POLLOUT);
        CHECK(user >= 1 && user <= (uintptr_t)number && !seen[user]);
        seen[user] = true;
    }
    QUIET(p);
    FAILS(ioevent_submit(op + number, N - number), err);
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
    fill(op);
}

int main(void)
{
    struct ioevent_op op[N];
    struct ioevent e[N];
    int closed = OK(dup2(0, 700)), q; /* no number that others would get */

    p = OK(ioeventpipe(N));
    unix_pair(fd);
    unix_pair(other);
    ATTACH(fd[0], p, 99);
    OK(close(closed));

    fill(op);
    for (int number = 0; number < N; number++) {
        op[number].ioo_kind = 0;
        bad(op, number, EINVAL);
        op[number].ioo_kind = 0xffff;
        bad(op, number, EINVAL);
        op[number].ioo_flags = 1;
        bad(op, number, EINVAL);
        op[number].ioo_zero[3] = 1;
        bad(op, number, EINVAL);
        op[number].ioo_timeout.tv_nsec = 1000000000;
        bad(op, number, EINVAL);
        op[number].ioo_fd = other[0]; /* not attached */
        bad(op, number, EINVAL);
        op[number].ioo_fd = -1;
        bad(op, number, EBADF);
        op[number].ioo_fd = closed;
        bad(op, number, EBADF);
    }
    STAYS_QUIET(p);

    /* full in the middle, and then at the front */
    GIVES(ioevent_fcntl(p, F_SETIOEVENTSZ, 3), 3);
    GIVES(ioevent_submit(op, N), 3);
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), 3);
    FAILS(ioevent_submit(op + 3, 2), EIOEVENTFULL);
    GIVES(ioevent_wait(p, e, 1, &no_wait), 1);
    GIVES(ioevent_submit(op + 3, 2), 1);
    FAILS(ioevent_submit(op + 4, 1), EIOEVENTFULL);
    GIVES(ioevent_wait(p, e, N, &no_wait), 3);

    /* one pipe is full, another is not: still from the front */
    q = OK(ioeventpipe(1));
    ATTACH(other[0], q, 98);
    op[1].ioo_fd = op[3].ioo_fd = other[0];
    GIVES(ioevent_submit(op, N), 3);
    GIVES(ioevent_wait(p, e, N, &no_wait), 2);
    GIVES(ioevent_wait(q, e, N, &no_wait), 1);
    CHECK(e[0].ioe_user == USER(2));

    /* no operations, or no array */
    GIVES(ioevent_submit(op, 0), 0);
    GIVES(ioevent_submit(NULL, 0), 0);
    FAILS(ioevent_submit(op, -1), EINVAL);
    FAILS(ioevent_submit(op, INT_MIN), EINVAL);
    FAILS(ioevent_submit(NULL, 1), EFAULT);
    STAYS_QUIET(p);
    return 0;
}
