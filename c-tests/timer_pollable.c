/*
 * While no thread harvests, a pollable pipe becomes readable when a timer's time is over, and when one is cancelled;
 * edges come, too: rule 2.7, rule 2.12, rule 3.6.
 */
#include "test.h"
#include <sys/epoll.h>

enum { MS = 1000000 };

static int p, ep;

static void timer(uintptr_t user, long ns)
{
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_user = USER(user),
                             .ioo_timeout = { ns / 1000000000, ns % 1000000000 } };

    GIVES(ioevent_submit(&op, 1), 1);
}

/* Waits with poll, or with epoll for edges; harvests until EAGAIN; returns when this timer has come. */
static void wait_for(uintptr_t user, bool edges, int err)
{
    struct pollfd f = { .fd = p, .events = POLLIN };
    struct epoll_event wake;
    struct ioevent e;

    for (bool come = false; !come;) {
        if (edges)
            GIVES(epoll_wait(ep, &wake, 1, -1), 1);
        else
            GIVES(poll(&f, 1, -1), 1);
        while (ioevent_read(p, &e, sizeof e) == sizeof e) {
            CHECK(!come);
            CHECK(e.ioe_user == USER(user));
            SAME(e.ioe_errno, err);
            come = true;
        }
        SAME(errno, EAGAIN); /* a spurious wake-up is allowed */
    }
}

int main(void)
{
    static const long times[] = { 0, 1, 100000, MS, 3 * MS, 9 * MS, 30 * MS };
    struct epoll_event in = { .events = EPOLLIN | EPOLLET };
    struct pollfd f;
    struct ioevent e;

    p = OK(ioeventpipe2(8, O_NONBLOCK));
    ep = OK(epoll_create1(0));
    OK(epoll_ctl(ep, EPOLL_CTL_ADD, p, &in));
    f = (struct pollfd){ .fd = p, .events = POLLIN };
    for (int edges = 0; edges < 2; edges++) {
        for (uintptr_t round = 0; round < 35; round++) {
            long ns = times[round % 7];
            long long start = now_ns();

            if (round % 2)
                timer(88, 3600000000000); /* a later one does not hide it, */
            timer(round, ns);
            wait_for(round, edges, 0);
            CHECK(now_ns() - start >= ns);
            if (round % 2 == 0)
                continue;
            GIVES(ioevent_cancel(p), 1); /* and its end is seen as well */
            wait_for(88, edges, ECANCELED);
        }
    }

    /* an earlier one that is queued while another thread's loop would sleep until the later one */
    timer(1, 40 * MS);
    timer(2, 2 * MS);
    GIVES(poll(&f, 1, -1), 1);
    wait_for(2, false, 0);
    wait_for(1, false, 0);

    /* events that wait keep it readable */
    for (uintptr_t i = 0; i < 5; i++)
        timer(i, (long)i * MS);
    UNTIL(ioevent_read(p, &e, sizeof e) == sizeof e && e.ioe_user == USER(4));
    FAILS(ioevent_read(p, &e, sizeof e), EAGAIN);
    GIVES(ioevent_close(p), 0);
    return 0;
}
