/*
 * A program of one thread, beside which the library's own threads are at work on the same pipe and descriptors: workers
 * that carry out fsync, and the watch, which goes on with what is outstanding while nobody harvests. Each queued operation has
 * exactly one event, and each byte comes once and in order. Rules 2.2, 2.5, 2.7.
 */
#include "test.h"

enum { CONNECTIONS = 4, MESSAGES = 3000, RESTS = 20, REST = 20000 /* us */ };

static struct connection {
    int reads, writes;
    uint32_t sent, received;
    uint32_t out[MESSAGES], in[2]; /* more room than a message needs: then a read proves that no more is there */
} connections[CONNECTIONS];

enum { READ, WRITE, SYNC };

static void send_next(struct connection *c)
{
    if (c->sent < MESSAGES) {
        c->out[c->sent] = c->sent;
        QUEUED(ioevent_write(c->writes, &c->out[c->sent++], sizeof c->in[0]));
    }
}

int main(void)
{
    char name[] = "/tmp/alone_visits.XXXXXX";
    int file = OK(mkstemp(name)), p = OK(ioeventpipe(64));
    int left = 2 * MESSAGES * CONNECTIONS, syncs = 0, since_rest = 0;
    bool syncing = true;

    OK(unlink(name));
    OK(write(file, name, sizeof name));
    ATTACH(file, p, SYNC);
    QUEUED(ioevent_fsync(file));
    for (int i = 0; i < CONNECTIONS; i++) {
        int fd[2];

        CHECK(tcp_pair(AF_INET, fd));
        connections[i] = (struct connection){ .reads = fd[0], .writes = fd[1] };
        ATTACH(fd[0], p, 4 * i + READ);
        ATTACH(fd[1], p, 4 * i + WRITE);
        QUEUED(ioevent_read(fd[0], connections[i].in, sizeof connections[i].in));
        send_next(&connections[i]);
    }
    while (left > 0 || syncing) {
        struct ioevent e[5];
        int n = OK(ioevent_wait(p, e, 5, NULL));

        CHECK(n > 0);
        for (int k = 0; k < n; k++) {
            uintptr_t user = (uintptr_t)e[k].ioe_user;
            struct connection *c = &connections[user / 4 % CONNECTIONS];

            SAME(e[k].ioe_errno, 0);
            if (user % 4 == SYNC) {
                CHECK(syncing);
                SAME(e[k].ioe_result, 0);
                syncs++;
                syncing = left > 0;
                if (syncing)
                    QUEUED(ioevent_fsync(file));
                continue;
            }
            SAME(e[k].ioe_result, sizeof c->in[0]);
            left--;
            if (user % 4 == READ) {
                SAME(c->in[0], c->received);
                if (++c->received < MESSAGES) {
                    QUEUED(ioevent_read(c->reads, c->in, sizeof c->in));
                    /* Long enough for the watch to see that nobody comes, now and then. */
                    if (++since_rest % (CONNECTIONS * MESSAGES / RESTS) == 0)
                        usleep(REST);
                    send_next(c);
                }
            }
        }
    }
    CHECK(syncs > 0);
    QUIET(p);
    GIVES(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
    GIVES(ioevent_close(p), 0);
    return 0;
}
