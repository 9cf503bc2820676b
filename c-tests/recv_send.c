/* recv and send on connected sockets, with MSG_DONTWAIT too, which changes nothing: rule 2.4. */
#include "test.h"

static void run(int type, int family, int flags)
{
    int fd[2], p = OK(ioeventpipe(4));
    char b[16];

    if (family == AF_UNIX)
        OK(socketpair(AF_UNIX, type, 0, fd));
    else if (!tcp_pair(family, fd))
        return;
    ATTACH(fd[0], p, 1);
    ATTACH(fd[1], p, 2);
    QUEUED(ioevent_recv(fd[0], b, sizeof b, flags));
    QUIET(p);
    QUEUED(ioevent_send(fd[1], "hello", 5, flags));
    for (int i = 0; i < 2; i++) { /* the two directions have no order */
        struct ioevent e = HARVEST(p);

        SAME(e.ioe_errno, 0);
        SAME(e.ioe_result, 5);
    }
    CHECK(memcmp(b, "hello", 5) == 0);
    QUIET(p);

    /* the other way round: recvfrom and sendto without an address */
    QUEUED(ioevent_sendto(fd[0], "abc", 3, flags, NULL, 0));
    EXPECT(p, 1, 3, 0);
    QUEUED(ioevent_recvfrom(fd[1], b, sizeof b, flags, NULL, NULL));
    EXPECT(p, 2, 3, 0);
    CHECK(memcmp(b, "abc", 3) == 0);
    GIVES(ioevent_close(fd[0]), 0);
    GIVES(ioevent_close(fd[1]), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int i = 0; i < 2; i++) {
        int flags = i ? MSG_DONTWAIT : 0;

        run(SOCK_STREAM, AF_UNIX, flags);
        run(SOCK_DGRAM, AF_UNIX, flags);
        run(SOCK_SEQPACKET, AF_UNIX, flags);
        run(SOCK_STREAM, AF_INET, flags);
        run(SOCK_STREAM, AF_INET6, flags);
    }
    return 0;
}
