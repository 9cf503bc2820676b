/*
 * A peer that resets and sends no end of file, at any moment of a read: the read never says 0, the next one after it
 * does; after bytes that came before the reset these come first, if they come: rule 2.4.
 */
#include "test_reset.h"

enum { ROUNDS = 1500 };

static int peer = -1, go, done;

static void *resetter(void *unused)
{
    for (int i = 1; i <= ROUNDS; i++) {
        while (GET(go) < i)
            sched_yield();
        if (i % 3 == 0)
            OK(write(GET(peer), "x", 1));
        for (volatile int spin = i * 37 % 2000; spin > 0; spin--) {}
        OK(close(GET(peer)));
        SET(done, i);
    }
    return unused;
}

int main(void)
{
    int p = OK(ioeventpipe(8)), q = OK(ioeventpipe2(8, O_NONBLOCK));
    pthread_t t = start_thread(resetter, NULL);

    for (int i = 1; i <= ROUNDS; i++) {
        int fd[2], at = i % 2 ? p : q;
        char b[8];
        long r;

        reset_pair(fd);
        ATTACH(fd[1], at, 1);
        if (i % 5 == 0)
            GIVES(ioevent_fcntl(fd[1], F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
        SET(peer, fd[0]);
        SET(go, i);
        if (i % 4 == 0)
            r = OUTCOME(at, 1, ioevent_recv(fd[1], b, sizeof b, MSG_WAITALL));
        else
            r = OUTCOME(at, 1, ioevent_read(fd[1], b, sizeof b));
        if (r == 1 && i % 3 == 0)
            r = OUTCOME(at, 1, ioevent_read(fd[1], b, sizeof b));
        SAME(r, -ECONNRESET);
        SAME(OUTCOME(at, 1, ioevent_read(fd[1], b, sizeof b)), 0);
        GIVES(ioevent_close(fd[1]), 0);
        UNTIL(GET(done) == i);
    }
    ZERO(pthread_join(t, NULL));
    STAYS_QUIET(p);
    STAYS_QUIET(q);
    return 0;
}
