/* ioevent_submit: the kinds for sockets, each once: rule 2.9. */
#include "test.h"

/* The operation of this kind is taken; more fields may follow. */
#define SUBMIT(kind, fd, user, ...)                                             \
    GIVES(ioevent_submit(&(struct ioevent_op){ .ioo_kind = IOEVENT_OP_##kind, .ioo_fd = fd, .ioo_user = USER(user), \
                                               ##__VA_ARGS__ }, 1), 1)

static int p;

static void streams(void)
{
    int l, c[2], s[2];
    struct address a, peer = { .length = sizeof peer.storage }, own = { .length = sizeof own.storage };
    char b[8], x[8];
    struct iovec out[2] = { { "ab", 2 }, { "cde", 3 } }, in = { b, 8 };
    struct msghdr send = { .msg_iov = out, .msg_iovlen = 2 }, recv = { .msg_iov = &in, .msg_iovlen = 1 };

    l = listener(AF_INET, 4, &a);
    ATTACH(l, p, 99);
    for (int i = 0; i < 2; i++) {
        c[i] = OK(socket(AF_INET, SOCK_STREAM, 0));
        ATTACH(c[i], p, 98);
        SUBMIT(CONNECT, c[i], 1, .ioo_addr = SOCKADDR(&a), .ioo_addrlen = &a.length);
        EXPECT(p, 1, 0, 0);
    }
    SUBMIT(ACCEPT, l, 2, .ioo_addr = SOCKADDR(&peer), .ioo_addrlen = &peer.length);
    s[0] = HARVEST(p).ioe_result;
    OK(getsockname(c[0], SOCKADDR(&own), &own.length));
    SAME(peer.length, own.length);
    CHECK(memcmp(&peer.storage, &own.storage, own.length) == 0);
    SUBMIT(ACCEPT4, l, 3, .ioo_arg = SOCK_NONBLOCK | SOCK_CLOEXEC);
    s[1] = HARVEST(p).ioe_result;
    SAME(fcntl(s[0], F_GETFL) & O_NONBLOCK, 0);
    SAME(fcntl(s[0], F_GETFD), 0);
    SAME(fcntl(s[1], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    SAME(fcntl(s[1], F_GETFD), FD_CLOEXEC);
    ATTACHED(s[1], -1, 0);

    ATTACH(s[0], p, 97);
    SUBMIT(SEND, s[0], 4, .ioo_buf = "xyz", .ioo_len = 3);
    EXPECT(p, 4, 3, 0);
    SUBMIT(RECV, c[0], 5, .ioo_buf = b, .ioo_len = 8, .ioo_arg = MSG_PEEK);
    EXPECT(p, 5, 3, 0);
    SUBMIT(RECV, c[0], 6, .ioo_buf = b, .ioo_len = 3, .ioo_arg = MSG_WAITALL);
    EXPECT(p, 6, 3, 0);
    CHECK(memcmp(b, "xyz", 3) == 0);
    SUBMIT(SENDMSG, s[0], 7, .ioo_buf = &send);
    EXPECT(p, 7, 5, 0);
    SUBMIT(RECVMSG, c[0], 8, .ioo_buf = &recv);
    EXPECT(p, 8, 5, 0);
    CHECK(memcmp(b, "abcde", 5) == 0);
    SUBMIT(SHUTDOWN, s[0], 9, .ioo_arg = SHUT_WR);
    EXPECT(p, 9, 0, 0);
    CHECK(sees_end(c[0]));
    OK(write(c[0], "one way", 7)); /* only one */
    read_all(s[0], x, 7);
    for (int i = 0; i < 2; i++) {
        GIVES(ioevent_close(c[i]), 0);
        GIVES(ioevent_close(s[i]), 0);
    }
    GIVES(ioevent_close(l), 0);
}

static void datagrams(void)
{
    struct address a, b, from = { .length = sizeof from.storage };
    int s = bound_socket(AF_INET, SOCK_DGRAM, &a), r = bound_socket(AF_INET, SOCK_DGRAM, &b);
    char x[8];

    ATTACH(s, p, 96);
    ATTACH(r, p, 95);
    SUBMIT(RECVFROM, r, 1, .ioo_buf = x, .ioo_len = 4, .ioo_arg = MSG_TRUNC, .ioo_addr = SOCKADDR(&from),
           .ioo_addrlen = &from.length);
    QUIET(p);
    SUBMIT(SENDTO, s, 2, .ioo_buf = "datagram", .ioo_len = 8, .ioo_addr = SOCKADDR(&b), .ioo_addrlen = &b.length);
    for (int i = 0; i < 2; i++) { /* in any order */
        struct ioevent e = HARVEST(p);

        SAME(e.ioe_result, 8); /* also of the read: MSG_TRUNC */
    }
    CHECK(memcmp(x, "data", 4) == 0);
    SAME(from.length, a.length);
    CHECK(memcmp(&from.storage, &a.storage, a.length) == 0);
}

int main(void)
{
    p = OK(ioeventpipe(4));
    streams();
    datagrams();
    STAYS_QUIET(p);
    return 0;
}
