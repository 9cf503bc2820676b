/*
 * Descriptors that say "ready" and answer EAGAIN, as device files, FUSE and drivers with wrong poll methods do:
 * whatever the kind, the harvest keeps its time limit, others are served, next to no processor time is used, and the
 * operation can be ended: rule 3.2.
 */
#include "test_stubborn.h"

static void run(int kind, bool nonblock, bool harvest)
{
    int p = OK(ioeventpipe(8)), fd[2], writes = stubborn_make(kind);
    struct pollfd ready = { .fd = STUBBORN, .events = writes == 1 ? POLLOUT : POLLIN };
    char c[8];

    if (writes == -1)
        return;
    unix_pair(fd);
    ATTACH(fd[0], p, 2);
    set_nonblock(STUBBORN, nonblock);
    ATTACH(STUBBORN, p, 1);
    GIVES(poll(&ready, 1, test_timeout() * 500), 1);
    stubborn_queue(kind, writes);
    if (harvest)
        IDLE(p, 120);
    else
        IDLE_ALONE(120);
    for (int i = 0; i < 20; i++) {
        QUEUED(ioevent_read(fd[0], c, sizeof c));
        OK(write(fd[1], "abc", 3));
        EXPECT(p, 2, 3, 0);
    }
    if (harvest)
        GIVES(ioevent_cancel(STUBBORN), 1);
    else
        DETACH(STUBBORN);
    EXPECT(p, 1, -1, ECANCELED);
    STAYS_QUIET(p);
    stubborn_end();
    GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    stubborn_start();
    for (int kind = 0; kind < KINDS; kind++)
        for (int nonblock = 0; nonblock < 2; nonblock++)
            run(kind, nonblock, (kind + nonblock) % 2 == 0);
    return 0;
}
