/*
 * recvfrom and sendto on datagram sockets: the address and *addrlen are written when the event is there, as the
 * blocking call writes them (rule 2.4), and not before.
 */
#include "test.h"

static void run(int family)
{
    struct address a, b, from;
    int p = OK(ioeventpipe(4)), s = bound_socket(family, SOCK_DGRAM, &a), c;
    char buffer[16];

    if (s == -1)
        return;
    c = bound_socket(family, SOCK_DGRAM, &b);
    ATTACH(s, p, 1);
    ATTACH(c, p, 2);

    memset(&from, 0, sizeof from);
    from.length = sizeof from.storage;
    QUEUED(ioevent_recvfrom(s, buffer, sizeof buffer, 0, SOCKADDR(&from), &from.length));
    QUIET(p);
    QUEUED(ioevent_sendto(c, "ping", 4, 0, SOCKADDR(&a), a.length));
    for (int i = 0; i < 2; i++) {
        struct ioevent e = HARVEST(p);

        SAME(e.ioe_errno, 0);
        SAME(e.ioe_result, 4);
    }
    CHECK(memcmp(buffer, "ping", 4) == 0);
    SAME(from.length, b.length);
    CHECK(memcmp(&from.storage, &b.storage, b.length) == 0);

    /* room for less than the address: cut, and its real length told */
    memset(&from, 0x7e, sizeof from);
    from.length = 2;
    OK(sendto(c, "pong", 4, 0, SOCKADDR(&a), a.length));
    QUEUED(ioevent_recvfrom(s, buffer, sizeof buffer, 0, SOCKADDR(&from), &from.length));
    EXPECT(p, 1, 4, 0);
    SAME(from.length, b.length);
    SAME(from.storage.ss_family, family);
    CHECK(is_all((char *)&from.storage + 2, 0x7e, sizeof from.storage - 2));

    /* a message that is cut to the buffer, and an empty one */
    OK(sendto(c, "0123456789", 10, 0, SOCKADDR(&a), a.length));
    QUEUED(ioevent_recvfrom(s, buffer, 4, 0, NULL, NULL));
    EXPECT(p, 1, 4, 0);
    CHECK(memcmp(buffer, "0123", 4) == 0);
    QUEUED(ioevent_recvfrom(s, buffer, 4, 0, NULL, NULL));
    QUIET(p);
    QUEUED(ioevent_sendto(c, "", 0, 0, SOCKADDR(&a), a.length));
    for (int i = 0; i < 2; i++) {
        struct ioevent e = HARVEST(p);

        SAME(e.ioe_errno, 0);
        SAME(e.ioe_result, 0);
    }
    QUIET(p);
    GIVES(ioevent_close(s), 0);
    GIVES(ioevent_close(c), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    run(AF_INET);
    run(AF_INET6);
    run(AF_UNIX);
    return 0;
}
