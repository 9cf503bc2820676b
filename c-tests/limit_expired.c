/*
 * An operation whose time limit has passed is finished, whether or not a thread has harvested since: a cancel does not
 * count it, and its event says ETIMEDOUT; those beside it that have time are cancelled: rules 4.6, 4.7. Detaching and
 * closing end it just once: rules 2.2, 4.3.
 */
#include "test.h"

static int p;

static void submit(int fd, int kind, uintptr_t user, void *buf, size_t n, long long ns)
{
    struct ioevent_op op = { .ioo_kind = (unsigned short)kind, .ioo_fd = fd, .ioo_user = USER(user), .ioo_buf = buf,
                             .ioo_len = n, .ioo_arg = kind == IOEVENT_OP_POLL ? POLLIN : 0,
                             .ioo_timeout = { ns / 1000000000, ns % 1000000000 } };

    GIVES(ioevent_submit(&op, 1), 1);
}

static void pass(long long ns)
{
    long long begin = now_ns();

    UNTIL(now_ns() - begin > ns);
}

static void cancels(int flags)
{
    int fd[2];
    char b[8], c[8];
    static char big[8 << 20];
    size_t room;
    struct ioevent e;

    p = OK(ioeventpipe2(16, flags));
    unix_pair(fd);
    ATTACH(fd[0], p, 9);
    for (int kind = 0; kind < 5; kind++) {
        static const int kinds[] = { IOEVENT_OP_READ, IOEVENT_OP_RECV, IOEVENT_OP_POLL, IOEVENT_OP_READ,
                                     IOEVENT_OP_POLL };
        static const int whats[] = { IOEVENT_CANCEL_IN, IOEVENT_CANCEL_ALL, IOEVENT_CANCEL_POLL, 0, 0 };
        int op = kinds[kind], what = whats[kind];

        submit(fd[0], op, 1, b, 8, 1000000);
        pass(3000000);
        GIVES(what ? ioevent_cancel2(fd[0], what, NULL) : ioevent_cancel(fd[0]), 0);
        EXPECT(p, 1, -1, ETIMEDOUT);
        STAYS_QUIET(p);

        submit(fd[0], op, 1, b, 8, 1000000);
        submit(fd[0], IOEVENT_OP_READ, 2, c, 8, 3600000000000);
        submit(fd[0], IOEVENT_OP_POLL, 1, NULL, 0, 3600000000000);
        pass(3000000);
        GIVES(ioevent_cancel2(fd[0], IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(1)), 1);
        GIVES(ioevent_cancel2(fd[0], IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(2)), 1);
        for (int i = 0, timed = 0; i < 3; i++) {
            e = HARVEST(p);
            SAME(e.ioe_result, -1);
            timed += e.ioe_errno == ETIMEDOUT;
            CHECK(e.ioe_errno == ECANCELED || (e.ioe_errno == ETIMEDOUT && e.ioe_user == USER(1)));
            if (i == 2)
                SAME(timed, 1);
        }
        STAYS_QUIET(p);
    }

    /* a write that was taken in part */
    room = fill_up(fd[0]);
    drain(fd[1]);
    submit(fd[0], IOEVENT_OP_WRITE, 3, big, sizeof big, 1000000);
    pass(3000000);
    GIVES(ioevent_cancel2(fd[0], IOEVENT_CANCEL_OUT, NULL), 0);
    e = HARVEST(p);
    CHECK(e.ioe_user == USER(3) && e.ioe_result > 0 && (size_t)e.ioe_result <= room + sizeof big / 2);
    SAME(e.ioe_errno, ETIMEDOUT);
    SAME(drain(fd[1]), e.ioe_result);

    /* what has come in time, or comes when the time is over and nobody has looked, is not lost */
    submit(fd[0], IOEVENT_OP_READ, 4, b, 8, 1000000);
    pass(3000000);
    OK(write(fd[1], "abc", 3));
    GIVES(ioevent_cancel(fd[0]), 0);
    e = HARVEST(p);
    CHECK(e.ioe_user == USER(4));
    CHECK((e.ioe_result == 3 && e.ioe_errno == 0) || (e.ioe_result == -1 && e.ioe_errno == ETIMEDOUT));
    SAME(drain(fd[0]), e.ioe_result == 3 ? 0 : 3);
    STAYS_QUIET(p);
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
    GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
    GIVES(ioevent_close(p), 0);
}

/* Detached, or closed, when the time is over: one event, with one of the two reasons. */
static void ends(int how)
{
    int fd[2];
    char b[4][8];
    struct ioevent e;

    p = OK(ioeventpipe(16));
    unix_pair(fd);
    ATTACH(fd[0], p, 9);
    for (uintptr_t i = 0; i < 3; i++)
        submit(fd[0], i == 1 ? IOEVENT_OP_POLL : IOEVENT_OP_READ, i, b[i], 8, 1000000);
    submit(fd[0], IOEVENT_OP_READ, 3, b[3], 8, 3600000000000);
    pass(3000000);
    if (how == 0)
        DETACH(fd[0]);
    else if (how == 1)
        GIVES(ioevent_close(fd[0]), 0);
    else
        GIVES(ioevent_dup2(fd[1], fd[0]), fd[0]);
    for (int i = 0, seen = 0; i < 4; i++) {
        e = HARVEST(p);
        SAME(e.ioe_result, -1);
        CHECK(e.ioe_errno == ECANCELED || (e.ioe_errno == ETIMEDOUT && e.ioe_user != USER(3)));
        CHECK(!(seen & (1 << (uintptr_t)e.ioe_user)));
        seen |= 1 << (uintptr_t)e.ioe_user;
    }
    STAYS_QUIET(p);
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
    GIVES(ioevent_close(p), 0);
    if (how != 1)
        OK(close(fd[0]));
    OK(close(fd[1]));
}

int main(void)
{
    cancels(0);
    cancels(O_NONBLOCK);
    for (int how = 0; how < 3; how++)
        ends(how);
    return 0;
}
