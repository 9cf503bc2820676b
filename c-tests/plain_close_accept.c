/*
 * A descriptor closed by plain close(2) whose number the library's own accept gives out is noticed then: its operations
 * end, and the new descriptor is not attached: rule 4.4.
 */
#include "test.h"

int main(void)
{
    struct address a;
    int p = OK(ioeventpipe(8)), q = OK(ioeventpipe(8)), l = listener(AF_INET, 4, &a), c, fd[2], number;
    char b[8], x[8];
    struct ioevent e;

    ATTACH(l, p, 1);
    for (int round = 0; round < 4; round++) {
        c = OK(socket(AF_INET, SOCK_STREAM, 0));
        unix_pair(fd);
        number = fd[0];
        ATTACH(number, q, 2);
        QUEUED(ioevent_read(number, b, sizeof b));
        QUEUED(ioevent_poll(number, POLLPRI));
        QUIET(q);
        if (round % 2) { /* the accept is already waiting */
            QUEUED(ioevent_accept(l, NULL, NULL));
            QUIET(p);
        }
        OK(close(number)); /* the lowest number that is free, most likely */
        OK(connect(c, SOCKADDR(&a), a.length));
        if (round % 2 == 0)
            QUEUED(ioevent_accept(l, NULL, NULL));
        e = HARVEST(p);
        SAME(e.ioe_errno, 0);
        if (e.ioe_result != number)
            SKIP("the number was not given out again");
        EXPECT(q, 2, -1, ECANCELED);
        EXPECT(q, 2, -1, ECANCELED);
        memset(b, 0xee, sizeof b);
        ATTACHED(number, -1, 0);
        ATTACH(number, p, 3);
        QUEUED(ioevent_read(number, x, sizeof x));
        QUIET(p);
        OK(write(c, "abc", 3));
        EXPECT(p, 3, 3, 0);
        CHECK(is_all(b, 0xee, sizeof b));
        STAYS_QUIET(q);
        GIVES(ioevent_close(number), 0);
        OK(close(fd[1]));
        OK(close(c));
    }
    return 0;
}
