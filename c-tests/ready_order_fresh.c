/*
 * Descriptors that were just attached have their events in the order in which they became ready, not in that in which
 * they were attached: rule 3.5. So with reads, and with writes that had to wait.
 */
#include "test.h"

enum { PAIRS = 20, ROUNDS = 30 };

static unsigned state = 1;

static void shuffle(int *order)
{
    for (int i = 0; i < PAIRS; i++)
        order[i] = i;
    for (int i = PAIRS - 1; i > 0; i--) {
        state = state * 1103515245 + 12345;
        int j = (int)(state >> 8) % (i + 1), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
}

static void make_pair(int kind, int *pair)
{
    if (kind == 2)
        ZERO(pipe(pair));
    else if (kind == 1)
        CHECK(tcp_pair(AF_INET, pair));
    else
        ZERO(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
}

static void run(int kind, bool writes)
{
    int p = OK(ioeventpipe(PAIRS)), pairs[PAIRS][2], order[PAIRS];
    static char full[1 << 16], b[PAIRS];

    shuffle(order);
    for (int i = 0; i < PAIRS; i++) {
        make_pair(kind, pairs[i]);
        int own = pairs[i][kind == 2 && writes], peer = pairs[i][!(kind == 2 && writes)];
        if (writes) {
            OK(fcntl(own, F_SETFL, O_NONBLOCK));
            while (write(own, full, sizeof full) > 0) {}
            OK(fcntl(own, F_SETFL, 0));
        }
        OK(fcntl(peer, F_SETFL, O_NONBLOCK));
        ATTACH(own, p, i + 1);
        QUEUED(writes ? ioevent_write(own, b, 1) : ioevent_read(own, &b[i], 1));
    }
    for (int i = 0; i < PAIRS; i++) {
        int peer = pairs[order[i]][!(kind == 2 && writes)];
        if (writes)
            while (read(peer, full, sizeof full) > 0) {}
        else
            GIVES(write(peer, "x", 1), 1);
    }
    for (int i = 0; i < PAIRS; i++)
        EXPECT(p, order[i] + 1, 1, 0);
    for (int i = 0; i < PAIRS; i++) {
        GIVES(ioevent_close(pairs[i][kind == 2 && writes]), 0);
        OK(close(pairs[i][!(kind == 2 && writes)]));
    }
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        for (int kind = 0; kind < 3; kind++)
            run(kind, false);
        run(0, true);
        run(2, true);
    }
    return 0;
}
