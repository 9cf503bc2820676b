/*
 * Attachment belongs to the descriptor, not to the open file: a dup is not attached, and a dup attached with its own
 * user pointer works beside the first: rule 4.2.
 */
#include "test.h"

static void run(int which, bool same_pipe)
{
    int p = OK(ioeventpipe(8)), q = same_pipe ? p : OK(ioeventpipe(8)), fd[2], d;
    char a[8], b[8];
    struct ioevent e;

    if (!stream_pair(which, fd))
        return;
    ATTACH(fd[0], p, 1);
    d = OK(dup(fd[0]));
    ATTACHED(d, -1, 0);
    OK(write(fd[1], "abc", 3));
    GIVES(ioevent_read(d, a, 8), 3); /* libc's */
    ATTACH(d, q, 2);
    ATTACHED(fd[0], p, 1);
    ATTACHED(d, q, 2);

    /* one after the other */
    for (int i = 0; i < 5; i++) {
        QUEUED(ioevent_read(i % 2 ? d : fd[0], a, 8));
        QUIET(p);
        QUIET(q);
        OK(write(fd[1], "xyz", 3));
        if (i % 2)
            EXPECT(q, 2, 3, 0);
        else
            EXPECT(p, 1, 3, 0);
    }

    /* both wait: each gets a part (one write may serve either of them) */
    for (int i = 0; i < 20; i++) {
        bool first = false, second = false;

        QUEUED(ioevent_read(fd[0], a, 1));
        QUEUED(ioevent_read(d, b, 1));
        OK(write(fd[1], "12", 2));
        while (!first || !second) {
            if (!first && ioevent_wait(p, &e, 1, &no_wait) == 1) {
                SAME(e.ioe_result, 1);
                if (e.ioe_user == USER(2))
                    second = true;
                else
                    first = true;
            }
            if (!second && ioevent_wait(q, &e, 1, &no_wait) == 1) {
                SAME(e.ioe_result, 1);
                if (e.ioe_user == USER(1))
                    first = true;
                else
                    second = true;
            }
        }
        SAME(a[0] + b[0], '1' + '2');
    }

    /* closing one leaves the other */
    QUEUED(ioevent_read(fd[0], a, 8));
    QUEUED(ioevent_read(d, b, 8));
    QUIET(p);
    GIVES(ioevent_close(d), 0);
    EXPECT(q, 2, -1, ECANCELED);
    QUIET(p);
    OK(write(fd[1], "left", 4));
    EXPECT(p, 1, 4, 0);
    CHECK(memcmp(a, "left", 4) == 0);

    /* and the original closed first */
    d = OK(dup(fd[0]));
    ATTACH(d, q, 3);
    QUEUED(ioevent_read(fd[0], a, 8));
    QUEUED(ioevent_read(d, b, 8));
    GIVES(ioevent_close(fd[0]), 0);
    EXPECT(p, 1, -1, ECANCELED);
    OK(write(fd[1], "dup", 3));
    EXPECT(q, 3, 3, 0);
    DETACH(d);
    OK(close(d));
    OK(close(fd[1]));
    GIVES(ioevent_close(p), 0);
    if (q != p)
        GIVES(ioevent_close(q), 0);
}

int main(void)
{
    for (int which = 0; which < STREAMS; which++) {
        run(which, true);
        run(which, false);
    }
    return 0;
}
