/*
 * What a stream socket is, as far as short reads prove something, is found out after some reads. Urgent data that was
 * taken leaves a mark, at which reads end: at whatever time it comes, no byte that lies behind it is waited for in
 * vain: rules 2.2, 2.4.
 */
#include "test.h"

static void run(int reads_before, bool waits, bool inside)
{
    struct address a;
    int p = OK(ioeventpipe(8)), l = listener(AF_INET, 4, &a), c, s, got = 0;
    char b[16], all[16];
    struct ioevent e;
    struct pollfd in = { .events = POLLIN };

    ATTACH(l, p, 1);
    QUEUED(ioevent_accept(l, NULL, NULL));
    c = OK(socket(AF_INET, SOCK_STREAM, 0));
    OK(connect(c, SOCKADDR(&a), a.length));
    in.fd = s = HARVEST(p).ioe_result;
    if (inside)
        ATTACH(s, p, 2);
    for (int i = 0; i < reads_before && inside; i++) {
        if (waits) {
            QUEUED(ioevent_read(s, b, sizeof b));
            QUIET(p);
            OK(write(c, "abc", 3));
        } else {
            OK(write(c, "abc", 3));
            GIVES(poll(&in, 1, -1), 1);
            QUEUED(ioevent_read(s, b, sizeof b));
        }
        EXPECT(p, 2, 3, 0);
        QUEUED(ioevent_write(s, "d", 1));
        EXPECT(p, 2, 1, 0);
        read_all(c, b, 1);
    }
    OK(send(c, "1234", 4, 0));
    OK(send(c, "!", 1, MSG_OOB));
    OK(send(c, "5678", 4, 0));
    if (inside) {
        QUEUED(ioevent_recv(s, b, 1, MSG_OOB));
        EXPECT(p, 2, 1, 0);
    } else {
        UNTIL(recv(s, b, 1, MSG_OOB) == 1);
        ATTACH(s, p, 2);
    }
    SAME(b[0], '!');
    for (got = 0; got < 8; got += e.ioe_result) {
        QUEUED(ioevent_read(s, all + got, sizeof all - (size_t)got));
        e = HARVEST(p);
        SAME(e.ioe_errno, 0);
        CHECK(e.ioe_result > 0);
    }
    CHECK(memcmp(all, "12345678", 8) == 0);
    OK(close(c));
    QUEUED(ioevent_read(s, b, sizeof b));
    EXPECT(p, 2, 0, 0);
    GIVES(ioevent_close(s), 0);
    GIVES(ioevent_close(p), 0);
    OK(close(l));
}

int main(void)
{
    run(0, false, false);
    for (int reads = 0; reads < 5; reads++) {
        run(reads, false, true);
        run(reads, true, true);
    }
    return 0;
}
