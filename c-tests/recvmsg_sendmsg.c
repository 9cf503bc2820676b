/*
 * recvmsg and sendmsg: name, namelen, flags and controllen of the msghdr are written when the event is there, as the
 * blocking call writes them: rule 2.4.
 */
#include "test.h"

static void datagrams(int family)
{
    struct address a, b, from;
    int p = OK(ioeventpipe(4)), s = bound_socket(family, SOCK_DGRAM, &a), c;
    char x[4], y[4], control[64];
    struct iovec in[2] = { { x, 4 }, { y, 4 } };
    struct iovec out[2] = { { "abc", 3 }, { "defg", 4 } };
    struct msghdr msg = { .msg_name = &from.storage, .msg_namelen = sizeof from.storage, .msg_iov = in,
        .msg_iovlen = 2, .msg_control = control, .msg_controllen = sizeof control, .msg_flags = 0x7777 };
    struct msghdr send = { .msg_name = &a.storage, .msg_namelen = 0, .msg_iov = out, .msg_iovlen = 2 };

    if (s == -1)
        return;
    send.msg_namelen = a.length;
    c = bound_socket(family, SOCK_DGRAM, &b);
    ATTACH(s, p, 1);
    ATTACH(c, p, 2);
    memset(&from, 0, sizeof from);
    QUEUED(ioevent_recvmsg(s, &msg, 0));
    QUIET(p);
    QUEUED(ioevent_sendmsg(c, &send, 0));
    for (int i = 0; i < 2; i++) {
        struct ioevent e = HARVEST(p);

        SAME(e.ioe_errno, 0);
        SAME(e.ioe_result, 7);
    }
    CHECK(memcmp(x, "abcd", 4) == 0 && memcmp(y, "efg", 3) == 0);
    SAME(msg.msg_namelen, b.length);
    CHECK(memcmp(&from.storage, &b.storage, b.length) == 0);
    SAME(msg.msg_controllen, 0);
    SAME(msg.msg_flags, 0);

    /* a message that does not fit says so; with MSG_TRUNC the result is its real length */
    msg.msg_namelen = sizeof from.storage;
    msg.msg_controllen = 0;
    OK(sendto(c, "0123456789abc", 13, 0, SOCKADDR(&a), a.length));
    QUEUED(ioevent_recvmsg(s, &msg, 0));
    EXPECT(p, 1, 8, 0);
    SAME(msg.msg_flags & MSG_TRUNC, MSG_TRUNC);
    OK(sendto(c, "0123456789abc", 13, 0, SOCKADDR(&a), a.length));
    msg.msg_flags = 0;
    QUEUED(ioevent_recvmsg(s, &msg, MSG_TRUNC));
    EXPECT(p, 1, 13, 0);
    SAME(msg.msg_flags & MSG_TRUNC, MSG_TRUNC);
    QUIET(p);
    GIVES(ioevent_close(s), 0);
    GIVES(ioevent_close(c), 0);
    GIVES(ioevent_close(p), 0);
}

static void stream(int which)
{
    int fd[2], p = OK(ioeventpipe(4));
    char x[4], y[4];
    struct iovec in[2] = { { x, 4 }, { y, 4 } };
    struct msghdr msg = { .msg_iov = in, .msg_iovlen = 2, .msg_flags = 0x7777 };
    struct iovec out[2] = { { "abc", 3 }, { "de", 2 } };
    struct msghdr send = { .msg_iov = out, .msg_iovlen = 2 };

    if (!stream_pair(which, fd))
        return;
    ATTACH(fd[0], p, 1);
    ATTACH(fd[1], p, 2);
    QUEUED(ioevent_sendmsg(fd[1], &send, 0));
    EXPECT(p, 2, 5, 0);
    QUEUED(ioevent_recvmsg(fd[0], &msg, 0));
    EXPECT(p, 1, 5, 0);
    SAME(msg.msg_flags, 0);
    CHECK(memcmp(x, "abcd", 4) == 0 && y[0] == 'e');
    GIVES(ioevent_close(fd[0]), 0);
    GIVES(ioevent_close(fd[1]), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    datagrams(AF_INET);
    datagrams(AF_INET6);
    datagrams(AF_UNIX);
    stream(STREAM_UNIX);
    stream(STREAM_TCP4);
    stream(STREAM_TCP6);
    return 0;
}
