/*
 * A blocking connect to an AF_UNIX listener whose queue is full waits until there is room (one that does not block
 * gives EAGAIN, which is never delivered): rule 2.4. The read and the write behind it wait, too.
 */
#include "test_connect.h"

int main(void)
{
    struct address a;
    int p = OK(ioeventpipe(8)), l = listener(AF_UNIX, 0, &a), c, s;
    char b[4];

    fill_backlog(&a);
    c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    ATTACH(c, p, 1);
    QUEUED(ioevent_connect(c, SOCKADDR(&a), a.length));
    QUEUED(ioevent_read(c, b, sizeof b)); /* both wait for the connection: rule 2.5 */
    QUEUED(ioevent_write(c, "hi", 2));
    STAYS_QUIET(p);
    OK(close(OK(accept(l, NULL, NULL))));
    EXPECT(p, 1, 0, 0);
    EXPECT(p, 1, 2, 0);
    QUIET(p);
    s = OK(accept(l, NULL, NULL));
    OK(write(s, "abc", 3));
    EXPECT(p, 1, 3, 0);
    CHECK(memcmp(b, "abc", 3) == 0);
    read_all(s, b, 2);
    CHECK(memcmp(b, "hi", 2) == 0);
    OK(close(s));

    /* one that waits can be cancelled, and one finds the listener gone */
    for (int i = 0; i < 2; i++) {
        int d = OK(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));

        if (i == 0)
            while (connect(d, SOCKADDR(&a), a.length) == 0)
                d = OK(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
        OK(close(d));
        c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
        ATTACH(c, p, 2);
        QUEUED(ioevent_connect(c, SOCKADDR(&a), a.length));
        STAYS_QUIET(p);
        if (i == 0) {
            GIVES(ioevent_cancel(c), 1);
            EXPECT(p, 2, -1, ECANCELED);
        } else {
            OK(close(l));
            EXPECT(p, 2, -1, ECONNREFUSED);
        }
        GIVES(ioevent_close(c), 0);
    }
    STAYS_QUIET(p);
    return 0;
}
