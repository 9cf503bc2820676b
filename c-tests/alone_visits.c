/*
 * A program of one thread, beside which the library's own threads are at work on the same pipe and descriptors: workers
 * that carry out fsync, and the watch, which goes on with what is outstanding while no thread harvests. Each queued
 * operation has exactly one event, and each byte comes once and in order. Rules 2.2, 2.5, 2.7.
 */
enum { CONNECTIONS = 4, MESSAGES = 3000, RESTS = 20 };

#include "test_file.h"
#include "test_messages.h"

enum { SYNC = OTHER };

int main(void)
{
    int file = disk_file(), p = OK(ioeventpipe(64));
    int left = 2 * MESSAGES * CONNECTIONS, syncs = 0, reads = 0;
    bool syncing = true;

    OK(write(file, "x", 1));
    ATTACH(file, p, SYNC);
    QUEUED(ioevent_fsync(file));
    open_connections(p);
    while (left > 0 || syncing) {
        struct ioevent e[5];
        int n = OK(ioevent_wait(p, e, 5, NULL));

        CHECK(n > 0);
        for (int k = 0; k < n; k++) {
            struct connection *c = connection_of(&e[k]);

            if (about(&e[k]) == SYNC) {
                CHECK(syncing);
                SAME(e[k].ioe_errno, 0);
                SAME(e[k].ioe_result, 0);
                syncs++;
                syncing = left > 0;
                if (syncing)
                    QUEUED(ioevent_fsync(file));
                continue;
            }
            left--;
            if (!took_message(&e[k]))
                continue;
            send_next(c);
            /* Now and then it does not come to harvest until the watch has done this read. */
            if (++reads % (CONNECTIONS * MESSAGES / RESTS) == 0)
                UNTIL(__atomic_load_n(&c->in[0], __ATOMIC_SEQ_CST) == c->received);
        }
    }
    CHECK(syncs > 0);
    QUIET(p);
    GIVES(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
    GIVES(ioevent_close(p), 0);
    return 0;
}
