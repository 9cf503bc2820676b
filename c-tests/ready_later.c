/*
 * A descriptor that says "ready" and answers EAGAIN for a while, and then is able without a further sign: its operation
 * is tried again, with growing pauses and so at little cost, and done soon after: rule 2.2, rule 2.7, rule 3.2.
 */
#include "test_stubborn.h"

static void run(int kind, bool nonblock, bool harvest)
{
    int p = OK(ioeventpipe(8)), writes = stubborn_make(kind), asked;
    struct pollfd ready = { .fd = STUBBORN, .events = writes == 1 ? POLLOUT : POLLIN };
    struct ioevent e;

    if (writes == -1)
        return;
    set_nonblock(STUBBORN, nonblock);
    GIVES(poll(&ready, 1, test_timeout() * 500), 1);
    SET(stubborn_off, 0);
    asked = GET(stubborn_asked);
    ATTACH(STUBBORN, p, 1);
    stubborn_queue(kind, writes);
    if (harvest)
        IDLE(p, 120);
    else
        IDLE_ALONE(120);
    SAME(GET(stubborn_asked) > asked, 1);
    SET(stubborn_off, 1);
    TEST_HERE("the event of a descriptor that is able now");
    dprintf(2, "kind %d, O_NONBLOCK %d:\n", kind, nonblock); /* which one, should it fail */
    e = HARVEST(p);
    CHECK(e.ioe_result > 0 && e.ioe_errno == 0);
    if (kind == LISTENER)
        OK(close(e.ioe_result));
    STAYS_QUIET(p);
    stubborn_end();
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    /* what a full receiver, memory that is short, or a driver can do this to */
    static const int kinds[] = { UNIX_OUT, TCP_OUT, UDP_OUT, INOTIFY, MASTER_IN, MASTER_OUT };

    stubborn_start();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int nonblock = 0; nonblock < 2; nonblock++)
            run(kinds[i], nonblock, (i + (size_t)nonblock) % 2 == 0);
    return 0;
}
