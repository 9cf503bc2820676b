/* MSG_PEEK leaves the data where it is, also for the operations queued behind it: rule 2.4, rule 2.5. */
#include "test.h"

static void run(int family, int type)
{
    int fd[2], p = OK(ioeventpipe(8));
    char a[8] = "", b[8] = "", c[8] = "", d[8] = "";

    if (family == AF_UNIX)
        OK(socketpair(AF_UNIX, type, 0, fd));
    else if (!tcp_pair(family, fd))
        return;
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_recv(fd[0], a, 4, MSG_PEEK));
    QUEUED(ioevent_recv(fd[0], b, 8, MSG_PEEK));
    QUEUED(ioevent_recv(fd[0], c, 8, 0));
    QUEUED(ioevent_recv(fd[0], d, 8, 0));
    QUIET(p);
    OK(write(fd[1], "abcdef", 6));
    EXPECT(p, 1, 4, 0);
    EXPECT(p, 1, 6, 0);
    EXPECT(p, 1, 6, 0);
    QUIET(p);
    CHECK(memcmp(a, "abcd", 4) == 0 && memcmp(b, "abcdef", 6) == 0 && memcmp(c, "abcdef", 6) == 0);
    OK(write(fd[1], "gh", 2));
    EXPECT(p, 1, 2, 0);
    CHECK(memcmp(d, "gh", 2) == 0);

    /* peeked first, read later: the data is still known to be there */
    OK(write(fd[1], "xyz", 3));
    QUEUED(ioevent_recv(fd[0], a, 8, MSG_PEEK));
    EXPECT(p, 1, 3, 0);
    QUEUED(ioevent_recv(fd[0], a, 8, MSG_PEEK));
    EXPECT(p, 1, 3, 0);
    QUEUED(ioevent_read(fd[0], b, 8));
    EXPECT(p, 1, 3, 0);
    CHECK(memcmp(a, "xyz", 3) == 0 && memcmp(b, "xyz", 3) == 0);
    GIVES(ioevent_close(fd[0]), 0);
    GIVES(ioevent_close(p), 0);
    OK(close(fd[1]));
}

int main(void)
{
    run(AF_UNIX, SOCK_STREAM);
    run(AF_UNIX, SOCK_DGRAM);
    run(AF_UNIX, SOCK_SEQPACKET);
    run(AF_INET, SOCK_STREAM);
    return 0;
}
