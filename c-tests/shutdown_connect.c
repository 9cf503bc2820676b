/*
 * A shutdown with SHUT_WR, and the writes before it, wait for a connect before them; then the peer sees the bytes and
 * the end: rule 2.5.
 */
#include "test_connect.h"

int main(void)
{
    struct address a;
    int p = OK(ioeventpipe(8)), l, c, s;
    char b[8];

    /* a connect that is through at once */
    for (int family = 0; family < 2; family++) {
        l = listener(family ? AF_INET6 : AF_INET, 2, &a);
        if (l == -1)
            continue;
        c = OK(socket(family ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        ATTACH(c, p, 1);
        QUEUED(ioevent_connect(c, SOCKADDR(&a), a.length));
        ATTACH(c, p, 2);
        QUEUED(ioevent_write(c, "hi", 2));
        ATTACH(c, p, 3);
        QUEUED(ioevent_shutdown(c, SHUT_WR));
        EXPECT(p, 1, 0, 0);
        EXPECT(p, 2, 2, 0);
        EXPECT(p, 3, 0, 0);
        s = OK(accept(l, NULL, NULL));
        read_all(s, b, 2);
        CHECK(memcmp(b, "hi", 2) == 0);
        CHECK(sees_end(s));
        OK(close(s));
        OK(close(l));
        GIVES(ioevent_close(c), 0);
    }

    /* one that waits: the queue of the listener is full */
    l = listener(AF_UNIX, 0, &a);
    fill_backlog(&a);
    c = OK(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ATTACH(c, p, 1);
    QUEUED(ioevent_connect(c, SOCKADDR(&a), a.length));
    ATTACH(c, p, 2);
    QUEUED(ioevent_write(c, "hi", 2));
    ATTACH(c, p, 3);
    QUEUED(ioevent_shutdown(c, SHUT_WR));
    STAYS_QUIET(p);
    OK(close(OK(accept(l, NULL, NULL))));
    EXPECT(p, 1, 0, 0);
    EXPECT(p, 2, 2, 0);
    EXPECT(p, 3, 0, 0);
    s = OK(accept(l, NULL, NULL));
    read_all(s, b, 2);
    CHECK(memcmp(b, "hi", 2) == 0);
    CHECK(sees_end(s));
    STAYS_QUIET(p);
    return 0;
}
