/*
 * The usual round of a server, one read at a time that waits for its data, leaves nothing behind: what is called after
 * its event finds no operation, and the places are exactly those of the pipe: rule 2.2, rule 3.1, rule 4.2, rule 4.7.
 */
#include "test.h"

static int p, q, fd[2];
static char b[8];

static void rounds(int n, int user)
{
    for (int i = 0; i < n; i++) {
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        OK(write(fd[1], "abc", 3));
        EXPECT(p, user, 3, 0);
        if (i % 2) {
            QUEUED(ioevent_write(fd[0], "answer", 6));
            EXPECT(p, user, 6, 0);
            drain(fd[1]);
        }
    }
}

static void run(int which, int how)
{
    if (!stream_pair(which, fd))
        return;
    ATTACH(fd[0], p, 1);
    rounds(20, 1);
    switch (how) {
    case 0:
        GIVES(ioevent_cancel(fd[0]), 0);
        break;
    case 1: /* another user pointer: at once, with the first still known by the library, or not */
        ATTACH(fd[0], p, 2);
        rounds(3, 2);
        ATTACH(fd[0], p, 3);
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        GIVES(ioevent_cancel(fd[0]), 1);
        EXPECT(p, 3, -1, ECANCELED);
        break;
    case 2: /* another pipe */
        ATTACH(fd[0], q, 4);
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        QUIET(p);
        OK(write(fd[1], "abc", 3));
        EXPECT(q, 4, 3, 0);
        break;
    case 3:
        DETACH(fd[0]);
        OK(write(fd[1], "abc", 3));
        GIVES(ioevent_read(fd[0], b, sizeof b), 3);
        ATTACH(fd[0], p, 5);
        rounds(3, 5);
        break;
    case 4: /* a second one waits behind it */
        QUEUED(ioevent_read(fd[0], b, 1));
        QUEUED(ioevent_read(fd[0], b + 1, 1));
        OK(write(fd[1], "xy", 2));
        EXPECT(p, 1, 1, 0);
        EXPECT(p, 1, 1, 0);
        CHECK(memcmp(b, "xy", 2) == 0);
        break;
    case 5: /* another kind */
        QUEUED(ioevent_poll(fd[0], POLLIN));
        QUEUED(ioevent_recv(fd[0], b, sizeof b, MSG_PEEK));
        OK(write(fd[1], "xy", 2));
        for (int i = 0; i < 2; i++)
            CHECK(HARVEST(p).ioe_result > 0);
        drain(fd[0]);
        break;
    case 6: /* more than fits, and what is left is found */
        OK(write(fd[1], "0123456789abcdefghi", 19));
        for (int i = 0; i < 2; i++) {
            QUEUED(ioevent_read(fd[0], b, sizeof b));
            EXPECT(p, 1, 8, 0);
        }
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        EXPECT(p, 1, 3, 0);
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        QUIET(p);
        OK(write(fd[1], "0123456789", 10));
        EXPECT(p, 1, 8, 0);
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        EXPECT(p, 1, 2, 0);
        break;
    case 7: /* the pipe is closed */
        GIVES(ioevent_close(p), 0);
        p = OK(ioeventpipe(2));
        ATTACHED(fd[0], -1, 0);
        break;
    }
    QUIET(p);
    QUIET(q);
    /* exactly two places */
    ATTACH(fd[0], p, 9);
    for (int i = 0; i < 2; i++) {
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        FAILS(ioevent_read(fd[0], b, sizeof b), EIOEVENTFULL);
        FAILS(ioevent_poll(fd[0], POLLIN), EIOEVENTFULL);
        GIVES(ioevent_cancel(fd[0]), 2);
        EXPECT(p, 9, -1, ECANCELED);
        EXPECT(p, 9, -1, ECANCELED);
    }
    GIVES(ioevent_close(fd[0]), 0);
    STAYS_QUIET(p);
    OK(close(fd[1]));
}

int main(void)
{
    p = OK(ioeventpipe(2));
    q = OK(ioeventpipe(2));
    for (int which = 0; which < STREAM_PIPE; which++)
        for (int how = 0; how < 8; how++)
            run(which, how);
    return 0;
}
