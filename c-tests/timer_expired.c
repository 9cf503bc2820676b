/*
 * A timer whose time is over is finished, whether or not a thread has harvested since: a cancel does not count it, and
 * its event is that of a timer that has expired: rules 2.12, 4.7.
 */
#include "test.h"

static int p;

static void timer(uintptr_t user, long long ns)
{
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_user = USER(user),
                             .ioo_timeout = { ns / 1000000000, ns % 1000000000 } };

    GIVES(ioevent_submit(&op, 1), 1);
}

static void pass(long long ns)
{
    long long begin = now_ns();

    UNTIL(now_ns() - begin > ns);
}

/* The next events: timers that are over, in order of time, and timers that were cancelled. */
static void events(int over, int cancelled)
{
    uintptr_t last = 0;

    for (int i = over + cancelled; i > 0; i--) {
        struct ioevent e = HARVEST(p);

        if (e.ioe_result == 0) {
            SAME(e.ioe_errno, 0);
            CHECK((uintptr_t)e.ioe_user > last);
            last = (uintptr_t)e.ioe_user;
            over--;
        } else {
            SAME(e.ioe_result, -1);
            SAME(e.ioe_errno, ECANCELED);
            cancelled--;
        }
    }
    SAME(over, 0);
    SAME(cancelled, 0);
    STAYS_QUIET(p);
}

int main(void)
{
    for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
        p = OK(ioeventpipe2(64, flags));
        for (int what = 0; what <= IOEVENT_CANCEL_ALL; what++) {
            timer(1, 1000000);
            pass(3000000);
            GIVES(what ? ioevent_cancel2(p, what, NULL) : ioevent_cancel(p), 0);
            events(1, 0);

            /* beside others that are not over, with the same user pointer and with another one */
            timer(1, 1000000);
            timer(1, 3600000000000);
            timer(2, 3600000000000);
            pass(3000000);
            GIVES(ioevent_cancel2(p, (what ? what : IOEVENT_CANCEL_ALL) | IOEVENT_CANCEL_USER, USER(1)), 1);
            GIVES(ioevent_cancel2(p, IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(3)), 0);
            events(1, 1);
            GIVES(ioevent_cancel2(p, IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(2)), 1);
            EXPECT(p, 2, -1, ECANCELED);
        }
        /* many, a half of them over */
        for (uintptr_t i = 1; i <= 20; i++)
            timer(i, 1000000 + (long long)i * 100000);
        for (uintptr_t i = 1; i <= 20; i++)
            timer(i, 3600000000000);
        pass(10000000);
        GIVES(ioevent_cancel2(p, IOEVENT_CANCEL_IN | IOEVENT_CANCEL_USER, USER(7)), 1);
        GIVES(ioevent_cancel(p), 19);
        GIVES(ioevent_cancel(p), 0);
        events(20, 20);
        SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
        GIVES(ioevent_close(p), 0);
    }
    return 0;
}
