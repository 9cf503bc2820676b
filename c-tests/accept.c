/*
 * accept and accept4 complete with a new descriptor that is not attached; the address and *addrlen are written when
 * the event is there: rule 2.4.
 */
#include "test.h"

static int connected(struct address *to, struct address *own)
{
    int c = OK(socket(to->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));

    OK(connect(c, SOCKADDR(to), to->length));
    own->length = sizeof own->storage;
    OK(getsockname(c, SOCKADDR(own), &own->length));
    return c;
}

static void run(int family, bool nonblock)
{
    struct address a, own, from;
    int p = OK(ioeventpipe(4)), l = listener(family, 8, &a), c;
    struct ioevent e;
    char x;

    if (l == -1)
        return;
    set_nonblock(l, nonblock);
    ATTACH(l, p, 1);

    /* before the connection */
    memset(&from, 0, sizeof from);
    from.length = sizeof from.storage;
    QUEUED(ioevent_accept(l, SOCKADDR(&from), &from.length));
    QUIET(p);
    c = connected(&a, &own);
    e = HARVEST(p);
    SAME(e.ioe_errno, 0);
    CHECK(e.ioe_user == USER(1) && e.ioe_result > 2);
    SAME(from.length, own.length);
    CHECK(memcmp(&from.storage, &own.storage, own.length) == 0);
    SAME(fcntl(e.ioe_result, F_GETFD), 0);
    SAME(fcntl(e.ioe_result, F_GETFL) & O_NONBLOCK, 0);
    ATTACHED(e.ioe_result, -1, 0);
    OK(write(c, "x", 1));
    read_all(e.ioe_result, &x, 1);
    SAME(x, 'x');
    OK(close(e.ioe_result));
    OK(close(c));

    /* after it, with flags, with little room for the address */
    c = connected(&a, &own);
    memset(&from, 0x7e, sizeof from);
    from.length = 2;
    QUEUED(ioevent_accept4(l, SOCKADDR(&from), &from.length, SOCK_CLOEXEC | SOCK_NONBLOCK));
    e = HARVEST(p);
    SAME(e.ioe_errno, 0);
    SAME(from.length, own.length);
    SAME(from.storage.ss_family, family);
    CHECK(is_all((char *)&from.storage + 2, 0x7e, sizeof from.storage - 2));
    SAME(fcntl(e.ioe_result, F_GETFD), FD_CLOEXEC);
    CHECK(fcntl(e.ioe_result, F_GETFL) & O_NONBLOCK);
    OK(close(e.ioe_result));
    OK(close(c));

    /* no address wanted; three at once */
    QUEUED(ioevent_accept(l, NULL, NULL));
    QUEUED(ioevent_accept4(l, NULL, NULL, SOCK_CLOEXEC));
    QUEUED(ioevent_accept(l, NULL, NULL));
    QUIET(p);
    c = connected(&a, &own);
    OK(close(c));
    c = connected(&a, &own);
    OK(close(c));
    c = connected(&a, &own);
    for (int i = 0; i < 3; i++) {
        e = HARVEST(p);
        SAME(e.ioe_errno, 0);
        SAME(fcntl(e.ioe_result, F_GETFD), i == 1 ? FD_CLOEXEC : 0);
        SAME(fcntl(e.ioe_result, F_GETFL) & O_NONBLOCK, 0);
        OK(close(e.ioe_result));
    }
    QUIET(p);
    OK(close(c));
    SAME(fcntl(l, F_GETFL) & O_NONBLOCK, nonblock ? O_NONBLOCK : 0);
    GIVES(ioevent_close(l), 0);
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
