/* Any number of threads may harvest one pipe; each event goes to exactly one of them: rule 3.3, rule 2.2. */
#include "test.h"

enum { THREADS = 4, PAIRS = 16, TOTAL = 20000, STOP = -77 };

static int p, fd[PAIRS][2];
static int seen[TOTAL], harvested, rounds[PAIRS];
static int boxes[PAIRS];

/* Each pair sends numbers to itself; who gets the event of the read queues the next one. */
static void *worker(void *unused)
{
    struct ioevent e[3];

    for (;;) {
        int n = OK(ioevent_wait(p, e, 3, NULL));

        CHECK(n > 0);
        for (int i = 0; i < n; i++) {
            int k = (int)(uintptr_t)e[i].ioe_user;

            if (e[i].ioe_errno == STOP) {
                CHECK(ioevent_write(p, &e[i], sizeof e[i]) == sizeof e[i]); /* for the next one */
                for (int j = i + 1; j < n; j++)
                    SAME(e[j].ioe_errno, STOP);
                return unused;
            }
            SAME(e[i].ioe_result, sizeof(int));
            CHECK(ADD(seen[boxes[k]], 1) == 1);
            if (ADD(rounds[k], 1) < TOTAL / PAIRS) {
                int next = boxes[k] + 1;

                /* queued before the data, or after it */
                if (next % 2) {
                    boxes[k] = -1;
                    QUEUED(ioevent_recv(fd[k][0], &boxes[k], sizeof(int), 0));
                    GIVES(send(fd[k][1], &next, sizeof next, 0), sizeof next);
                } else {
                    GIVES(send(fd[k][1], &next, sizeof next, 0), sizeof next);
                    boxes[k] = -1;
                    QUEUED(ioevent_recv(fd[k][0], &boxes[k], sizeof(int), 0));
                }
            }
            if (ADD(harvested, 1) == TOTAL) {
                struct ioevent stop = { NULL, 0, STOP };

                CHECK(ioevent_write(p, &stop, sizeof stop) == sizeof stop);
            }
        }
    }
}

int main(void)
{
    pthread_t t[THREADS];

    p = OK(ioeventpipe(PAIRS + THREADS));
    for (int k = 0; k < PAIRS; k++) {
        int first = k * (TOTAL / PAIRS);

        OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd[k]));
        ATTACH(fd[k][0], p, k);
        QUEUED(ioevent_recv(fd[k][0], &boxes[k], sizeof(int), 0));
        GIVES(send(fd[k][1], &first, sizeof first, 0), sizeof first);
    }
    for (int i = 0; i < THREADS; i++)
        t[i] = start_thread(worker, NULL);
    for (int i = 0; i < THREADS; i++)
        ZERO(pthread_join(t[i], NULL));
    for (int i = 0; i < TOTAL; i++)
        SAME(seen[i], 1);
    EXPECT(p, 0, 0, STOP);
    STAYS_QUIET(p);
    return 0;
}
