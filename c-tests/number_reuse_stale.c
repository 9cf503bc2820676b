/*
 * After ioevent_close a dup keeps the old open file alive; its readiness never reaches the next owner of the number:
 * rule 4.3, rule 4.2.
 */
#include "test.h"

int main(void)
{
    int p = OK(ioeventpipe(8)), old[2], new[2], number, keep;
    char b[8];

    for (int how = 0; how < 3; how++) {
        unix_pair(old);
        unix_pair(new);
        number = old[0];
        keep = OK(dup(number));
        ATTACH(number, p, 1);
        QUEUED(ioevent_poll(number, POLLIN));
        QUIET(p);
        if (how == 0) {
            GIVES(ioevent_close(number), 0);
        } else if (how == 1) {
            DETACH(number);
            OK(close(number));
        } else {
            OK(close(number)); /* behind the library's back */
        }
        if (how < 2)
            EXPECT(p, 1, -1, ECANCELED);
        OK(dup2(new[0], number));
        ATTACH(number, p, 2);
        if (how == 2)
            EXPECT(p, 1, -1, ECANCELED);
        QUEUED(ioevent_poll(number, POLLIN));
        QUEUED(ioevent_read(number, b, sizeof b));
        OK(write(old[1], "old", 3)); /* for the old file */
        STAYS_QUIET(p);
        OK(write(new[1], "new", 3));
        for (int i = 0; i < 2; i++) { /* a poll and a read have no order, and the read takes what the poll saw */
            struct ioevent e;

            if (i == 1 && ioevent_wait(p, &e, 1, &no_wait) == 0) {
                OK(write(new[1], "more", 4));
                e = HARVEST(p);
            } else if (i == 0) {
                e = HARVEST(p);
            }
            CHECK(e.ioe_user == USER(2));
            SAME(e.ioe_errno, 0);
        }
        STAYS_QUIET(p);
        GIVES(ioevent_close(number), 0);
        SAME(drain(keep), 3);
        OK(close(keep));
        OK(close(old[1]));
        OK(close(new[0]));
        OK(close(new[1]));
    }
    return 0;
}
