/*
 * A send with MSG_FASTOPEN to a listener whose queue is full waits for its connection, and a read queued behind it
 * waits for it too: rule 2.4, rule 2.5. It can be cancelled and has a time limit, and then a connect waits for the
 * same connection: rules 4.6, 4.7.
 */
#include "test_connect.h"

static int p;

static void begin(int s, struct address *a, bool submit, bool second)
{
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_SENDTO, .ioo_fd = s, .ioo_user = USER(1), .ioo_arg = MSG_FASTOPEN,
                             .ioo_buf = "hello", .ioo_len = 5, .ioo_addr = SOCKADDR(a), .ioo_addrlen = &a->length };

    if (second)
        op.ioo_user = USER(2);
    ATTACH(s, p, second ? 2 : 1);
    if (submit)
        GIVES(ioevent_submit(&op, 1), 1);
    else
        QUEUED(ioevent_sendto(s, "hello", 5, MSG_FASTOPEN, SOCKADDR(a), a->length));
}

static void comes_late(bool submit, int flags)
{
    struct address a;
    struct taker t;
    struct ioevent e;
    int filler, l = full_listener(&a, &filler), s = tcp_socket();
    char b[8], got[8];

    ATTACH(s, p, 1);
    GIVES(ioevent_fcntl(s, F_SETIOEVENTFLAGS, flags), 0);
    begin(s, &a, submit, false);
    ATTACH(s, p, 3);
    QUEUED(ioevent_read(s, b, sizeof b));
    STAYS_QUIET(p);
    start_taking(&t, l);
    e = HARVEST(p);
    CHECK(e.ioe_user == USER(1));
    SAME(e.ioe_errno, 0);
    SAME(e.ioe_result, 5);
    UNTIL(GET(t.n) == 2);
    QUIET(p);
    read_all(t.taken[1], got, 5);
    CHECK(memcmp(got, "hello", 5) == 0);
    OK(write(t.taken[1], "yo", 2));
    EXPECT(p, 3, 2, 0);
    CHECK(memcmp(b, "yo", 2) == 0);
    GIVES(ioevent_close(s), 0);
    CHECK(sees_end(t.taken[1])); /* once and whole */
    stop_taking(&t);
    OK(close(l));
    OK(close(filler));
}

static void ended_early(bool limit)
{
    struct timespec some = { 0, 20000000 }, none = { 0, 0 };
    struct address a;
    struct taker t;
    int filler, l = full_listener(&a, &filler), s = tcp_socket();

    ATTACH(s, p, 1);
    if (limit)
        GIVES(ioevent_fcntl(s, F_SETIOEVENTTIMEO, &some), 0);
    begin(s, &a, false, false);
    if (!limit) {
        STAYS_QUIET(p);
        GIVES(ioevent_cancel(s), 1);
    }
    EXPECT(p, 1, -1, limit ? ETIMEDOUT : ECANCELED);
    GIVES(ioevent_fcntl(s, F_SETIOEVENTTIMEO, &none), 0);
    ATTACH(s, p, 4);
    QUEUED(ioevent_connect(s, SOCKADDR(&a), a.length));
    STAYS_QUIET(p);
    start_taking(&t, l);
    EXPECT(p, 4, 0, 0);
    UNTIL(GET(t.n) == 2);
    QUEUED(ioevent_write(s, "x", 1));
    EXPECT(p, 4, 1, 0);
    GIVES(ioevent_close(s), 0);
    stop_taking(&t);
    OK(close(l));
    OK(close(filler));
}

int main(void)
{
    need_fastopen();
    p = OK(ioeventpipe(8));
    comes_late(false, 0);
    comes_late(true, 0);
    comes_late(false, IOEVENT_INLINE);
    ended_early(false);
    ended_early(true);
    STAYS_QUIET(p);
    return 0;
}
