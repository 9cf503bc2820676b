/* connect completes with 0, or with -1 and the reason: rule 2.4. */
#include "test.h"

static void run(int family, bool nonblock)
{
    struct address a;
    int p = OK(ioeventpipe(4)), l = listener(family, 8, &a), c, s;
    char x;

    if (l == -1)
        return;
    c = OK(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    set_nonblock(c, nonblock);
    ATTACH(c, p, 1);
    QUEUED(ioevent_connect(c, SOCKADDR(&a), a.length));
    EXPECT(p, 1, 0, 0);
    s = OK(accept(l, NULL, NULL));
    SAME(fcntl(c, F_GETFL) & O_NONBLOCK, nonblock ? O_NONBLOCK : 0);
    QUEUED(ioevent_write(c, "x", 1));
    EXPECT(p, 1, 1, 0);
    read_all(s, &x, 1);
    EITHER(ioevent_connect(c, SOCKADDR(&a), a.length), p, 1, EISCONN);
    OK(close(s));
    GIVES(ioevent_close(c), 0);

    /* a port at which nothing listens */
    OK(close(l));
    l = OK(bound_socket(family, SOCK_STREAM, &a));
    c = OK(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    set_nonblock(c, nonblock);
    ATTACH(c, p, 2);
    QUEUED(ioevent_connect(c, SOCKADDR(&a), a.length));
    EXPECT(p, 2, -1, ECONNREFUSED);
    STAYS_QUIET(p);
    GIVES(ioevent_close(c), 0);
    OK(close(l));

    /* datagram sockets connect too */
    l = bound_socket(family, SOCK_DGRAM, &a);
    c = OK(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ATTACH(c, p, 3);
    QUEUED(ioevent_connect(c, SOCKADDR(&a), a.length));
    EXPECT(p, 3, 0, 0);
    QUEUED(ioevent_write(c, "y", 1));
    EXPECT(p, 3, 1, 0);
    read_all(l, &x, 1);
    SAME(x, 'y');
    GIVES(ioevent_close(c), 0);
    OK(close(l));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int i = 0; i < 2; i++) {
        run(AF_INET, i);
        run(AF_INET6, i);
        run(AF_UNIX, i);
    }
    return 0;
}
