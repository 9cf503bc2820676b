/*
 * A thread that has been the only one to call the library, and a second one that comes to share its pipe and its
 * descriptors at any instant: each queued operation still has exactly one event, and each byte comes once and in order.
 * Rules 2.2, 2.5, 3.3.
 */
#include "test.h"

enum { ROUNDS = 60, CONNECTIONS = 4, MESSAGES = 250, POSTS = 100 };

static struct connection {
    int reads, writes; /* the two ends */
    uint32_t sent, received;
    uint32_t out[MESSAGES], in[2]; /* more room than a message needs: then a read proves that no more is there */
} connections[CONNECTIONS];

static int p;
static int come_after; /* events */
static int harvested, posted, left;

/* User pointers: the connection, its read or its write; or an event that was posted. */
enum { READ, WRITE, POST };

static void send_next(struct connection *c)
{
    if (c->sent < MESSAGES) {
        c->out[c->sent] = c->sent;
        QUEUED(ioevent_write(c->writes, &c->out[c->sent++], sizeof c->in[0]));
    }
}

static void handle(const struct ioevent *e)
{
    uintptr_t user = (uintptr_t)e->ioe_user;
    struct connection *c = &connections[user / 4 % CONNECTIONS];

    SAME(e->ioe_errno, 0);
    if (user % 4 == POST) {
        __atomic_add_fetch(&posted, 1, __ATOMIC_SEQ_CST);
        return;
    }
    SAME(e->ioe_result, sizeof c->in[0]);
    if (user % 4 == READ) {
        SAME(c->in[0], c->received);
        if (++c->received < MESSAGES) {
            QUEUED(ioevent_read(c->reads, c->in, sizeof c->in));
            send_next(c);
        }
    }
    __atomic_sub_fetch(&left, 1, __ATOMIC_SEQ_CST);
}

static void *second(void *unused)
{
    struct ioevent e[3];

    (void)unused;
    while (__atomic_load_n(&harvested, __ATOMIC_SEQ_CST) < come_after)
        sched_yield();
    for (int i = 0; i < POSTS; i++) {
        e[0] = (struct ioevent){ USER(POST), 0, 0 };
        GIVES(ioevent_write(p, e, sizeof e[0]), sizeof e[0]);
        int n = OK(ioevent_wait(p, e, 3, &no_wait));

        for (int k = 0; k < n; k++)
            handle(&e[k]);
    }
    return NULL;
}

static int round_in_child(void)
{
    pthread_t thread;

    p = OK(ioeventpipe(2 * MESSAGES * CONNECTIONS + POSTS));
    left = 2 * MESSAGES * CONNECTIONS;
    ZERO(pthread_create(&thread, NULL, second, NULL));
    for (int i = 0; i < CONNECTIONS; i++) {
        int fd[2];

        CHECK(tcp_pair(AF_INET, fd));
        connections[i] = (struct connection){ .reads = fd[0], .writes = fd[1] };
        ATTACH(fd[0], p, 4 * i + READ);
        ATTACH(fd[1], p, 4 * i + WRITE);
        QUEUED(ioevent_read(fd[0], connections[i].in, sizeof connections[i].in));
        send_next(&connections[i]);
    }
    while (__atomic_load_n(&left, __ATOMIC_SEQ_CST) > 0
           || __atomic_load_n(&posted, __ATOMIC_SEQ_CST) < POSTS) {
        struct ioevent e[5];
        struct timespec soon = { 0, 50000000 };
        /* For ever as long as it is alone: only that goes the short ways. Later the other one may get the last event. */
        int n = OK(ioevent_wait(p, e, 5, harvested < come_after ? NULL : &soon));

        for (int k = 0; k < n; k++)
            handle(&e[k]);
        __atomic_add_fetch(&harvested, n, __ATOMIC_SEQ_CST);
    }
    ZERO(pthread_join(thread, NULL));
    QUIET(p);
    SAME(left, 0);
    SAME(posted, POSTS);
    GIVES(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
    GIVES(ioevent_close(p), 0);
    return 0;
}

int main(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        int status;
        pid_t child = OK(fork());

        if (child == 0) {
            /* A prime apart, over what there is to harvest. */
            come_after = 1 + round * 31 % (2 * MESSAGES * CONNECTIONS - 200);
            _exit(round_in_child());
        }
        GIVES(waitpid(child, &status, 0), child);
        SAME(status, 0);
    }
    return 0;
}
