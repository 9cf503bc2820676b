/*
 * The proposal's objection, in small: connections that flood a server and never read, on a pipe that is just large
 * enough for one operation each. Traffic from outside never fills the pipe, no event is lost, and the polite ones are
 * served: rule 3.1, rule 3.4.
 */
#include "test.h"

enum { FLOODERS = 30, POLITE = 5, ALL = FLOODERS + POLITE, ROUNDS = 200 };

struct connection {
    int fd, peer;
    bool writing, gone;
    char b[512];
};

static struct connection con[ALL];
static int over;

static void *flooder(void *unused)
{
    static const char junk[4096];

    while (!GET(over)) {
        for (int i = 0; i < FLOODERS; i++)
            send(con[i].peer, junk, sizeof junk, MSG_DONTWAIT | MSG_NOSIGNAL);
        sched_yield();
    }
    return unused;
}

static void *polite(void *arg)
{
    struct connection *c = arg;

    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint32_t answer = 0;

        GIVES(write(c->peer, &i, sizeof i), sizeof i);
        read_all(c->peer, &answer, sizeof answer);
        SAME(answer, i);
    }
    OK(shutdown(c->peer, SHUT_WR));
    return NULL;
}

int main(void)
{
    int p = OK(ioeventpipe(ALL)), open_polite = POLITE;
    pthread_t threads[POLITE], f;
    long queued = 0, events = 0;

    for (int i = 0; i < ALL; i++) {
        int fd[2];

        CHECK(tcp_pair(AF_INET, fd));
        con[i].fd = fd[0];
        con[i].peer = fd[1];
        ATTACH(fd[0], p, &con[i]);
        QUEUED(ioevent_read(fd[0], con[i].b, sizeof con[i].b));
        queued++;
    }
    FAILS(ioevent_poll(con[0].fd, POLLIN), EIOEVENTFULL);
    f = start_thread(flooder, NULL);
    for (int i = 0; i < POLITE; i++)
        threads[i] = start_thread(polite, &con[FLOODERS + i]);
    while (open_polite > 0) {
        struct ioevent e[16];
        int n = OK(ioevent_wait(p, e, 16, NULL));

        for (int i = 0; i < n; i++) {
            struct connection *c = e[i].ioe_user;

            events++;
            SAME(e[i].ioe_errno, 0);
            if (e[i].ioe_result == 0) {
                c->gone = true;
                open_polite--;
                continue;
            }
            /* an echo: the flooders never read it, so their writes come to wait */
            c->writing = !c->writing;
            if (c->writing)
                QUEUED(ioevent_write(c->fd, c->b, (size_t)e[i].ioe_result)); /* never EIOEVENTFULL */
            else
                QUEUED(ioevent_read(c->fd, c->b, sizeof c->b));
            queued++;
        }
    }
    SET(over, 1);
    ZERO(pthread_join(f, NULL));
    for (int i = 0; i < POLITE; i++)
        ZERO(pthread_join(threads[i], NULL));
    for (int i = 0; i < ALL; i++)
        GIVES(ioevent_close(con[i].fd), 0);
    while (events < queued) {
        HARVEST(p);
        events++;
    }
    STAYS_QUIET(p);
    GIVES(ioevent_close(p), 0);
    return 0;
}
