/*
 * A descriptor number that is used again never sees an event of its former owner: rule 4.3. Closed with operations
 * outstanding, with finished ones unread, while the peer writes, and attached again at once.
 */
#include "test.h"

enum { ROUNDS = 400 };

int main(void)
{
    int p = OK(ioeventpipe(64)), fd[2], number = -1, waiting = 0;
    char b[8];
    uintptr_t generation = 0;
    int left[ROUNDS + 1] = { 0 };

    for (int round = 0; round < ROUNDS; round++) {
        unix_pair(fd);
        if (number == -1)
            number = OK(fcntl(fd[0], F_DUPFD, 100));
        else
            OK(dup2(fd[0], number)); /* the same number again, another file */
        OK(close(fd[0]));
        ATTACH(number, p, ++generation);
        ATTACHED(number, p, generation);
        if (round % 2)
            OK(write(fd[1], "old", 3));
        for (int i = 0; i < 3; i++) {
            QUEUED(ioevent_read(number, b, 1));
            left[generation]++;
            waiting++;
        }
        if (round % 3 == 0)
            OK(write(fd[1], "later", 5));
        GIVES(ioevent_close(number), 0);
        /* events of this generation and of none before that is complete */
        while (waiting > (round % 5 == 4 ? 0 : 40)) {
            struct ioevent e = HARVEST(p);
            uintptr_t g = (uintptr_t)e.ioe_user;

            CHECK(g >= 1 && g <= generation);
            CHECK(left[g]-- > 0);
            CHECK(e.ioe_result == 1 || e.ioe_errno == ECANCELED || e.ioe_errno == 0);
            waiting--;
        }
        OK(close(fd[1]));
    }
    while (waiting-- > 0) {
        struct ioevent e = HARVEST(p);

        CHECK(left[(uintptr_t)e.ioe_user]-- > 0);
    }
    STAYS_QUIET(p);
    for (int i = 0; i <= ROUNDS; i++)
        SAME(left[i], 0);
    return 0;
}
