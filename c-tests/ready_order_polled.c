/*
 * A program that waits for its pipe with poll(2) and harvests what is there: descriptors that become ready one after
 * the other have their events in that order: rule 3.5. The library's own thread, which looks after pipes that nobody
 * harvests, took part of them now and then although harvests were coming.
 */
#include "test.h"

#include <poll.h>

enum { PAIRS = 40, ROUNDS = 400 };
static int pairs[PAIRS][2], order[PAIRS];

static void *make_ready(void *unused)
{
    (void)unused;
    for (int ms = 0; ms < 10; ms++)
        breathe(); /* long enough for the pipe to be deserted */
    for (int i = 0; i < PAIRS; i++)
        GIVES(write(pairs[order[i]][1], "x", 1), 1);
    return NULL;
}

int main(void)
{
    int p = OK(ioeventpipe2(PAIRS, O_NONBLOCK));
    unsigned state = 1;
    static char b[PAIRS];

    for (int i = 0; i < PAIRS; i++) {
        unix_pair(pairs[i]);
        ATTACH(pairs[i][0], p, i + 1);
        order[i] = i;
    }
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t thread;

        for (int i = PAIRS - 1; i > 0; i--) {
            state = state * 1103515245 + 12345;
            int j = (int)(state >> 8) % (i + 1), t = order[i];
            order[i] = order[j];
            order[j] = t;
        }
        for (int i = 0; i < PAIRS; i++)
            QUEUED(ioevent_read(pairs[i][0], &b[i], 1));
        ZERO(pthread_create(&thread, NULL, make_ready, NULL));
        for (int i = 0; i < PAIRS;) {
            struct pollfd waited = {.fd = p, .events = POLLIN};
            struct ioevent e;

            OK(poll(&waited, 1, -1));
            while (i < PAIRS && ioevent_read(p, &e, sizeof e) == sizeof e)
                SAME((intptr_t)e.ioe_user, order[i++] + 1);
        }
        ZERO(pthread_join(thread, NULL));
    }
    return 0;
}
