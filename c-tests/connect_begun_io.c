/*
 * Reads and writes on a socket whose connection was begun with connect(2) and is not there yet wait for it, and give
 * its error if it is refused, as the blocking calls do: rule 2.4.
 */
#include "test_connect.h"

static int p;

static int begun(struct address *a)
{
    int s = tcp_socket();

    set_nonblock(s, true);
    FAILS(connect(s, SOCKADDR(a), a->length), EINPROGRESS);
    set_nonblock(s, false);
    return s;
}

/* The twin's blocking call, in a thread, as it waits from before the outcome. */
struct twin {
    int fd;
    bool to_read;
    long result, why;
};

static void *blocks(void *arg)
{
    struct twin *t = arg;
    char b[8];

    t->result = t->to_read ? read(t->fd, b, sizeof b) : write(t->fd, "hello", 5);
    t->why = t->result == -1 ? errno : 0;
    return NULL;
}

int main(void)
{
    struct address a;
    struct taker t;
    struct ioevent e;
    char b[8];
    int filler, l, s[4];

    signal(SIGPIPE, SIG_IGN);
    p = OK(ioeventpipe(8));

    /* refused: each kind on a socket of its own, beside a twin that blocks */
    l = full_listener(&a, &filler);
    struct twin twin[2] = { { .fd = begun(&a), .to_read = true }, { .fd = begun(&a) } };
    pthread_t thread[2] = { start_thread(blocks, &twin[0]), start_thread(blocks, &twin[1]) };
    for (int i = 0; i < 4; i++) {
        s[i] = begun(&a);
        ATTACH(s[i], p, i + 1);
        GIVES(ioevent_fcntl(s[i], F_SETIOEVENTFLAGS, i & 2 ? IOEVENT_INLINE : 0), 0);
        if (i & 1)
            QUEUED(ioevent_write(s[i], "hello", 5));
        else
            QUEUED(ioevent_read(s[i], b, sizeof b));
    }
    STAYS_QUIET(p);
    OK(close(l));
    ZERO(pthread_join(thread[0], NULL));
    ZERO(pthread_join(thread[1], NULL));
    for (int i = 0; i < 4; i++) {
        int k;

        e = HARVEST(p);
        k = (int)(uintptr_t)e.ioe_user - 1;
        CHECK(k >= 0 && k < 4);
        SAME(e.ioe_result, twin[k & 1].result);
        SAME(e.ioe_errno, twin[k & 1].why);
        GIVES(ioevent_close(s[k]), 0);
    }
    STAYS_QUIET(p);
    OK(close(twin[0].fd));
    OK(close(twin[1].fd));
    OK(close(filler));

    /* accepted after a while: both on one socket */
    l = full_listener(&a, &filler);
    s[0] = begun(&a);
    ATTACH(s[0], p, 1);
    QUEUED(ioevent_read(s[0], b, sizeof b));
    ATTACH(s[0], p, 2);
    QUEUED(ioevent_write(s[0], "hello", 5));
    STAYS_QUIET(p);
    start_taking(&t, l);
    EXPECT(p, 2, 5, 0);
    UNTIL(GET(t.n) == 2);
    QUIET(p);
    OK(write(t.taken[1], "yo", 2));
    EXPECT(p, 1, 2, 0);
    stop_taking(&t);
    GIVES(ioevent_close(s[0]), 0);
    OK(close(l));
    OK(close(filler));
    return 0;
}
