/*
 * A thread that has been the only one to call the library, and a second one that comes to share its pipe and its
 * descriptors at any instant: each queued operation still has exactly one event, and each byte comes once and in order.
 * Rules 2.2, 2.5, 3.3.
 */
enum { ROUNDS = 60, CONNECTIONS = 4, MESSAGES = 250, POSTS = 100 };

#include "test_messages.h"

enum { POST = OTHER };

static int p;
static int come_after; /* events */
static int harvested, posted, left;

static void handle(const struct ioevent *e)
{
    if (about(e) == POST) {
        SAME(e->ioe_errno, 0);
        __atomic_add_fetch(&posted, 1, __ATOMIC_SEQ_CST);
        return;
    }
    if (took_message(e))
        send_next(connection_of(e));
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
    open_connections(p);
    while (__atomic_load_n(&left, __ATOMIC_SEQ_CST) > 0
           || __atomic_load_n(&posted, __ATOMIC_SEQ_CST) < POSTS) {
        struct ioevent e[5];
        struct timespec soon = { 0, 50000000 };
        /* For ever as long as it is alone: only that goes the short ways. Later the other one may get the last
         * event. */
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
