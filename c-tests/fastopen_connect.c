/*
 * On a socket with TCP_FASTOPEN_CONNECT connect comes back at once and the first write connects; it waits for the
 * connection and then gives the bytes, which arrive once: rule 2.4. Cancel and time end it: rules 4.6, 4.7.
 */
#include "test_first_write.h"

static void to_listener(int way, int flags, bool nonblock, size_t n)
{
    static char data[4 << 20], got[4 << 20];
    struct address a;
    int l = listener(AF_INET, 4, &a), s = deferred(&a, nonblock), peer;
    pid_t pid;

    put_pattern(data, 0, n);
    CHECK(s != -1);
    if (child(&pid)) {
        close(s);
        peer = OK(accept(l, NULL, NULL));
        read_all(peer, got, n);
        CHECK(is_pattern(got, 0, n));
        CHECK(sees_end(peer));
        _exit(0);
    }
    ATTACH(s, p, 1);
    GIVES(ioevent_fcntl(s, F_SETIOEVENTFLAGS, flags), 0);
    SAME(outcome(way, s, data, n), (long)n);
    QUIET(p);
    GIVES(ioevent_close(s), 0);
    CHILD_PASSED(pid);
    OK(close(l));
}

/* The queue is full: the write waits, and a read behind it; time and cancel end it. */
static void waits(int way)
{
    struct timespec some = { 0, 20000000 };
    struct address a;
    struct taker t;
    int filler, l = full_listener(&a, &filler), s = deferred(&a, false), c = deferred(&a, false);
    char b[8], got[8];
    struct ioevent e;

    ATTACH(s, p, 1);
    ATTACH(c, p, 2);
    if (way == 1)
        GIVES(ioevent_fcntl(c, F_SETIOEVENTTIMEO, &some), 0);
    QUEUED(ioevent_write(s, "hello", 5));
    ATTACH(s, p, 3);
    QUEUED(ioevent_read(s, b, sizeof b));
    QUEUED(ioevent_write(c, "other", 5));
    if (way == 0) {
        STAYS_QUIET(p);
        GIVES(ioevent_cancel(c), 1);
    }
    e = HARVEST(p); /* what travels with the request for the connection may count as moved */
    CHECK(e.ioe_user == USER(2) && (e.ioe_result == -1 || e.ioe_result == 5));
    SAME(e.ioe_errno, way ? ETIMEDOUT : ECANCELED);
    GIVES(ioevent_close(c), 0);
    STAYS_QUIET(p);
    start_taking(&t, l);
    EXPECT(p, 1, 5, 0);
    UNTIL(GET(t.n) >= 2);
    QUIET(p);
    read_all(t.taken[1], got, 5);
    CHECK(memcmp(got, "hello", 5) == 0);
    OK(write(t.taken[1], "yo", 2));
    EXPECT(p, 3, 2, 0);
    GIVES(ioevent_close(s), 0);
    CHECK(sees_end(t.taken[1]));
    stop_taking(&t);
    OK(close(l));
    OK(close(filler));
}

int main(void)
{
    struct address a;
    int l = listener(AF_INET, 4, &a), s = deferred(&a, false);

    if (s == -1 || write(s, "hello", 5) != 5)
        SKIP("no TCP fast open without cookies here");
    OK(close(s));
    OK(close(l));
    p = OK(ioeventpipe(8));
    for (int way = 0; way < WAYS; way++)
        for (int k = 0; k < 4; k++)
            to_listener(way, k & 1 ? IOEVENT_INLINE : 0, k & 2, 5);
    for (int way = 0; way < WAYS; way++)
        to_listener(way, 0, way & 1, 4 << 20);
    waits(0);
    waits(1);
    return 0;
}
