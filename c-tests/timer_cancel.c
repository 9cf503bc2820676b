/*
 * Timers end with ECANCELED when they are cancelled: ioevent_cancel and ioevent_cancel2 on their pipe, whatever the
 * direction, with IOEVENT_CANCEL_USER only those with this pointer: rule 2.12, rule 4.7. Each takes a place: rule 3.1.
 */
#include "test.h"

enum { PLACES = 4 };

static int p;

static int timer(int pipefd, uintptr_t user, long ns)
{
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = pipefd, .ioo_user = USER(user),
                             .ioo_timeout = { ns ? 0 : 3600, ns } };

    return ioevent_submit(&op, 1);
}

/* Takes all places with timers for an hour. */
static void begin(void)
{
    for (uintptr_t i = 1; i <= PLACES; i++) {
        SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), i - 1);
        GIVES(timer(p, i / 2, 0), 1); /* user pointers 0, 1, 1, 2 */
    }
    FAILS(timer(p, 9, 0), EIOEVENTFULL);
    QUIET(p);
}

static void end(int n)
{
    struct ioevent e[PLACES + 1];

    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), PLACES); /* until the event is read */
    FAILS(timer(p, 9, 0), EIOEVENTFULL);
    GIVES(ioevent_wait(p, e, PLACES + 1, &no_wait), n);
    for (int i = 0; i < n; i++) {
        SAME(e[i].ioe_result, -1);
        SAME(e[i].ioe_errno, ECANCELED);
    }
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), PLACES - n);
}

int main(void)
{
    int q = OK(ioeventpipe(8)), fd[2];
    char b[8];

    p = OK(ioeventpipe(PLACES));
    for (int what = IOEVENT_CANCEL_IN; what <= IOEVENT_CANCEL_ALL; what++) {
        begin();
        GIVES(ioevent_cancel2(p, what, NULL), PLACES);
        end(PLACES);
        begin();
        GIVES(ioevent_cancel2(p, what | IOEVENT_CANCEL_USER, USER(1)), 2);
        end(2);
        GIVES(ioevent_cancel2(p, what | IOEVENT_CANCEL_USER, USER(1)), 0);
        GIVES(ioevent_cancel2(p, what | IOEVENT_CANCEL_USER, USER(7)), 0);
        GIVES(ioevent_cancel2(p, what | IOEVENT_CANCEL_USER, NULL), 1);
        EXPECT(p, 0, -1, ECANCELED);
        GIVES(ioevent_cancel2(p, what | IOEVENT_CANCEL_USER, USER(2)), 1);
        EXPECT(p, 2, -1, ECANCELED);
    }
    begin();
    FAILS(ioevent_cancel2(p, 0, NULL), EINVAL);
    FAILS(ioevent_cancel2(p, IOEVENT_CANCEL_USER, NULL), EINVAL);
    FAILS(ioevent_cancel2(p, IOEVENT_CANCEL_ALL | 16, NULL), EINVAL);
    GIVES(ioevent_cancel(p), PLACES);
    end(PLACES);
    GIVES(ioevent_cancel(p), 0);

    /* only timers, and only those of this pipe; what is posted stays, too */
    unix_pair(fd);
    ATTACH(fd[0], p, 5);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    GIVES(ioevent_write(p, &(struct ioevent){ USER(6), 6, 6 }, sizeof(struct ioevent)), sizeof(struct ioevent));
    GIVES(timer(p, 7, 0), 1);
    GIVES(timer(q, 8, 0), 1);
    GIVES(ioevent_cancel(fd[0]), 1); /* nor does a descriptor's call end timers */
    EXPECT(p, 6, 6, 6);
    EXPECT(p, 5, -1, ECANCELED);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    GIVES(ioevent_cancel(p), 1);
    EXPECT(p, 7, -1, ECANCELED);
    GIVES(ioevent_cancel(q), 1);
    EXPECT(q, 8, -1, ECANCELED);
    OK(write(fd[1], "abc", 3));
    EXPECT(p, 5, 3, 0);

    /* one that is over is not cancelled any more */
    GIVES(timer(p, 4, 1), 1);
    EXPECT(p, 4, 0, 0);
    GIVES(ioevent_cancel(p), 0);
    STAYS_QUIET(p);
    STAYS_QUIET(q);
    return 0;
}
