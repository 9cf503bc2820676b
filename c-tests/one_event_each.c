/* Every EIOEVENTQUEUED is followed by exactly one event, also of many on many descriptors: rule 2.2. */
#include "test.h"

enum { PAIRS = 50, EACH = 40, TOTAL = PAIRS * EACH * 2 };

static int fd[PAIRS][2], seen[TOTAL];
static char buffer[TOTAL][8];

int main(void)
{
    int p = OK(ioeventpipe(TOTAL)), queued = 0, events = 0, canceled;
    struct ioevent e[64];

    for (int i = 0; i < PAIRS; i++)
        OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd[i]));
    /* attached anew before each operation, so that each has a user pointer of its own (rule 4.2) */
    for (int k = 0; k < EACH; k++)
        for (int i = 0; i < PAIRS; i++) {
            ATTACH(fd[i][0], p, queued);
            if (k % 10 == 9)
                QUEUED(ioevent_poll(fd[i][0], POLLIN));
            else
                QUEUED(ioevent_recv(fd[i][0], buffer[queued], 8, 0));
            queued++;
            ATTACH(fd[i][1], p, queued);
            QUEUED(ioevent_send(fd[i][1], "1234567", 7, 0));
            queued++;
            if (k % 7 == 3 && i % 11 == 5) { /* and some are cancelled in between */
                canceled = OK(ioevent_cancel(fd[i][0]));
                CHECK(canceled >= 0);
            }
        }
    SAME(queued, TOTAL);
    for (int i = 0; i < PAIRS; i++)
        if (i % 3 == 0)
            GIVES(ioevent_close(fd[i][0]), 0);
        else if (i % 3 == 1)
            DETACH(fd[i][0]);
    while (events < TOTAL) {
        struct timespec t = { 0, 20000000 };
        int n = OK(ioevent_wait(p, e, 64, &t));

        for (int i = 0; n == 0 && i < PAIRS; i++) /* what still waits gets something to read, and room to write */
            if (i % 3 != 0) {
                char b[8];

                send(fd[i][1], "more", 4, MSG_DONTWAIT);
                while (recv(fd[i][0], b, 8, MSG_DONTWAIT) > 0)
                    ;
            }
        for (int i = 0; i < n; i++) {
            uintptr_t user = (uintptr_t)e[i].ioe_user;

            CHECK(user < TOTAL);
            CHECK(seen[user]++ == 0);
            CHECK(e[i].ioe_result >= 0 || e[i].ioe_errno == ECANCELED || e[i].ioe_errno == ECONNREFUSED
                  || e[i].ioe_errno == ECONNRESET);
        }
        events += n;
    }
    STAYS_QUIET(p);
    for (int i = 0; i < PAIRS; i++) {
        if (i % 3 != 0)
            GIVES(ioevent_close(fd[i][0]), 0);
        GIVES(ioevent_close(fd[i][1]), 0);
    }
    STAYS_QUIET(p);
    return 0;
}
