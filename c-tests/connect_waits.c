/*
 * A connect to a TCP listener whose queue is full waits, and the read and write queued behind it wait for it:
 * rule 2.4, rule 2.5. A connect that waits can be cancelled: rule 4.7.
 */
#include "test.h"

int main(void)
{
    struct address a, own;
    struct sockaddr_storage to;
    int p = OK(ioeventpipe(8)), l = listener(AF_INET, 0, &a), filler[16], n = 0, c, d, s = -1;
    char b[8];
    struct ioevent e;

    /* fill the queue: connect until one does not come through */
    for (bool full = false; !full; n++) {
        struct pollfd ready;

        CHECK(n < 16);
        filler[n] = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        if (connect(filler[n], SOCKADDR(&a), a.length) == 0)
            continue;
        SAME(errno, EINPROGRESS);
        ready = (struct pollfd){ .fd = filler[n], .events = POLLOUT };
        full = OK(poll(&ready, 1, 300)) == 0;
    }

    c = OK(socket(AF_INET, SOCK_STREAM, 0));
    ATTACH(c, p, 1);
    to = a.storage; /* the address belongs to the library until the event */
    QUEUED(ioevent_connect(c, (struct sockaddr *)&to, a.length));
    ATTACH(c, p, 2);
    QUEUED(ioevent_write(c, "hi", 2));
    ATTACH(c, p, 3);
    QUEUED(ioevent_read(c, b, sizeof b));
    d = OK(socket(AF_INET, SOCK_STREAM, 0));
    ATTACH(d, p, 4);
    QUEUED(ioevent_connect(d, SOCKADDR(&a), a.length));
    STAYS_QUIET(p);

    /* the second one changes its mind */
    GIVES(ioevent_cancel(d), 1);
    EXPECT(p, 4, -1, ECANCELED);
    GIVES(ioevent_close(d), 0);

    /* make room until the first one is through (its SYN is sent again after a second or more) */
    own.length = sizeof own.storage;
    OK(getsockname(c, SOCKADDR(&own), &own.length));
    set_nonblock(l, true);
    for (int i = 0; i < n; i++)
        OK(close(filler[i]));
    for (bool through = false; !through || s == -1;) {
        struct timespec t = { 0, 10000000 };
        struct address from = { .length = sizeof from.storage };
        int new = accept(l, SOCKADDR(&from), &from.length);

        if (new >= 0 && memcmp(&from.storage, &own.storage, own.length) == 0)
            s = new;
        else if (new >= 0)
            OK(close(new));
        if (!through && ioevent_wait(p, &e, 1, &t) == 1) {
            CHECK(e.ioe_user == USER(1));
            SAME(e.ioe_result, 0);
            through = true;
        }
    }
    EXPECT(p, 2, 2, 0);
    set_nonblock(s, false);
    read_all(s, b, 2);
    CHECK(memcmp(b, "hi", 2) == 0);
    QUIET(p);
    OK(write(s, "yo", 2));
    EXPECT(p, 3, 2, 0);
    CHECK(memcmp(b, "yo", 2) == 0);
    STAYS_QUIET(p);
    return 0;
}
