/*
 * shutdown with SHUT_RD or SHUT_RDWR is done at once, whatever waits: an outstanding read gets 0, a write that waits
 * EPIPE: rule 2.5.
 */
#include "test.h"

/* A read that waits, and on AF_UNIX a write that waits too. */
static void run(int which, int how)
{
    int p = OK(ioeventpipe(8)), fd[2], n = 2;
    bool seen[4] = { false };
    size_t full = 0;
    char b[8];

    if (!stream_pair(which, fd))
        return;
    ATTACH(fd[1], p, 0);
    QUEUED(ioevent_read(fd[1], b, sizeof b));
    if (which == STREAM_UNIX) {
        full = fill_up(fd[1]);
        ATTACH(fd[1], p, 1);
        QUEUED(ioevent_write(fd[1], "x", 1));
        n += how == SHUT_RDWR;
    }
    STAYS_QUIET(p);
    ATTACH(fd[1], p, 2);
    QUEUED(ioevent_shutdown(fd[1], how));
    for (int i = 0; i < n; i++) {
        struct ioevent e = HARVEST(p);
        uintptr_t user = (uintptr_t)e.ioe_user;

        CHECK(user < 3 && !seen[user]);
        seen[user] = true;
        SAME(e.ioe_result, user == 1 ? -1 : 0);
        SAME(e.ioe_errno, user == 1 ? EPIPE : 0);
    }
    STAYS_QUIET(p);
    if (which == STREAM_UNIX && how == SHUT_RD) { /* the write still waits */
        CHECK(!seen[1]);
        for (full++; full > 0;) { /* with its byte, which may come before all others are drained */
            size_t drained = drain(fd[0]);

            CHECK(drained <= full);
            full -= drained;
        }
        EXPECT(p, 1, 1, 0);
    }
    QUEUED(ioevent_read(fd[1], b, sizeof b));
    EXPECT(p, 2, 0, 0);
    QUEUED(ioevent_write(fd[1], "y", 1));
    if (how == SHUT_RD) {
        EXPECT(p, 2, 1, 0);
        read_all(fd[0], b, 1);
        SAME(b[0], 'y');
    } else {
        EXPECT(p, 2, -1, EPIPE);
        if (full)
            full -= drain(fd[0]);
        CHECK(full == 0 && sees_end(fd[0]));
    }
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd[1]), 0);
    OK(close(fd[0]));
    GIVES(ioevent_close(p), 0);
}

/* An accept that waits at a listener that is shut down ends as the blocking one does. */
static void listening(void)
{
    struct address a;
    int p = OK(ioeventpipe(4)), l = listener(AF_INET, 4, &a);
    bool seen[3] = { false };

    ATTACH(l, p, 1);
    QUEUED(ioevent_accept(l, NULL, NULL));
    STAYS_QUIET(p);
    ATTACH(l, p, 2);
    QUEUED(ioevent_shutdown(l, SHUT_RD));
    for (int i = 0; i < 2; i++) {
        struct ioevent e = HARVEST(p);

        CHECK(e.ioe_user == USER(1) || e.ioe_user == USER(2));
        CHECK(!seen[(uintptr_t)e.ioe_user]);
        seen[(uintptr_t)e.ioe_user] = true;
        SAME(e.ioe_result, e.ioe_user == USER(1) ? -1 : 0);
        SAME(e.ioe_errno, e.ioe_user == USER(1) ? EINVAL : 0);
    }
    STAYS_QUIET(p);
}

int main(void)
{
    for (int which = 0; which < STREAM_PIPE; which++) {
        run(which, SHUT_RD);
        run(which, SHUT_RDWR);
    }
    listening();
    return 0;
}
