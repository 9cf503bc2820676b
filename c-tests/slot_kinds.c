/*
 * One operation that waits alone on a socket, of each kind that takes bytes in: it is complete with what comes, ended
 * by a cancel, by another operation's coming and by a detach, with the user pointer that it was queued with; an array
 * or msghdr that is not there is told at once, also after one that was: rules 2.2, 2.4, 2.5, 2.6, 4.2, 4.3.
 */
#include "test.h"

static char b[64];
static struct iovec iov[2] = { { b, 2 }, { b + 32, 30 } };
static struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
static struct sockaddr_storage from;
static socklen_t length;

enum { KINDS = 6 };

static void queue(int kind, int fd)
{
    length = sizeof from;
    switch (kind) {
    case 0: QUEUED(ioevent_read(fd, b, sizeof b)); break;
    case 1: QUEUED(ioevent_recv(fd, b, sizeof b, MSG_DONTWAIT)); break;
    case 2: QUEUED(ioevent_readv(fd, iov, 2)); break;
    case 3: QUEUED(ioevent_recvmsg(fd, &msg, MSG_CMSG_CLOEXEC)); break;
    case 4: QUEUED(ioevent_recvfrom(fd, b, sizeof b, 0, (struct sockaddr *)&from, &length)); break;
    default: QUEUED(ioevent_recvfrom(fd, b, sizeof b, 0, NULL, NULL));
    }
}

static void one(int p, int kind, int fd[2], long user)
{
    for (int i = 0; i < 3; i++) {
        queue(kind, fd[0]);
        QUIET(p);
        memset(b, 0, sizeof b);
        GIVES(write(fd[1], "abcde", 5), 5);
        EXPECT(p, user, 5, 0);
        CHECK(memcmp(b, "ab", 2) == 0 && memcmp(kind == 2 || kind == 3 ? b + 32 : b + 2, "cde", 3) == 0);
    }
    /* ended */
    queue(kind, fd[0]);
    GIVES(ioevent_cancel(fd[0]), 1);
    EXPECT(p, user, -1, ECANCELED);
    /* with others behind it, and a new user pointer */
    queue(kind, fd[0]);
    ATTACH(fd[0], p, user + 100);
    queue(kind, fd[0]);
    QUEUED(ioevent_write(fd[0], "x", 1));
    EXPECT(p, user + 100, 1, 0);
    GIVES(write(fd[1], "a", 1), 1);
    EXPECT(p, user, 1, 0);
    GIVES(write(fd[1], "b", 1), 1);
    EXPECT(p, user + 100, 1, 0);
    /* detached */
    queue(kind, fd[0]);
    DETACH(fd[0]);
    EXPECT(p, user + 100, -1, ECANCELED);
    ATTACH(fd[0], p, user);
    /* the end */
    queue(kind, fd[0]);
    OK(shutdown(fd[1], SHUT_WR));
    EXPECT(p, user, 0, 0);
}

/* By ioevent_submit: each with a user pointer of its own, beside a write. */
static void submitted(int p, int fd[2])
{
    static const int kinds[] = { IOEVENT_OP_READ, IOEVENT_OP_RECV, IOEVENT_OP_READV, IOEVENT_OP_RECVMSG };
    static const int outs[] = { IOEVENT_OP_WRITE, IOEVENT_OP_SEND, IOEVENT_OP_WRITEV, IOEVENT_OP_SENDMSG };

    for (int i = 0; i < 40; i++) {
        int k = i % 4;
        void *in = k == 2 ? (void *)iov : k == 3 ? (void *)&msg : b;
        static char out[] = "pong";
        struct iovec parts[2] = { { out, 1 }, { out + 1, 3 } };
        struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
        void *with = k == 2 ? (void *)parts : k == 3 ? (void *)&message : out;
        struct ioevent_op ops[2] = {
            { .ioo_kind = kinds[k], .ioo_fd = fd[0], .ioo_user = USER(500 + i), .ioo_buf = in,
              .ioo_len = k == 2 ? 2 : sizeof b },
            { .ioo_kind = outs[k], .ioo_fd = fd[0], .ioo_user = USER(900 + i), .ioo_buf = with,
              .ioo_len = k == 2 ? 2 : 4 },
        };
        char got[8];

        if (i % 3)
            GIVES(ioevent_submit(ops, 2), 2);
        else {
            GIVES(ioevent_submit(ops, 1), 1);
            GIVES(ioevent_submit(ops + 1, 1), 1);
        }
        EXPECT(p, 900 + i, 4, 0);
        GIVES(read(fd[1], got, sizeof got), 4);
        CHECK(memcmp(got, out, 4) == 0);
        GIVES(write(fd[1], "abc", 3), 3);
        EXPECT(p, 500 + i, 3, 0);
    }
}

/* Structs that are not there. */
static void bad(int p, int fd[2])
{
    struct iovec *nowhere = (struct iovec *)8;
    struct msghdr many = { .msg_iov = iov, .msg_iovlen = 100000 };

    if (on_valgrind()) /* it would object */
        return;

    for (int i = 0; i < 3; i++) {
        queue(2, fd[0]);
        GIVES(write(fd[1], "abc", 3), 3);
        EXPECT(p, 3, 3, 0);
        EITHER(ioevent_readv(fd[0], nowhere, 2), p, 3, EFAULT);
#ifdef __GLIBC__ /* musl's own function reads a msghdr before the kernel does, and so does the library there */
        EITHER(ioevent_recvmsg(fd[0], (struct msghdr *)8, 0), p, 3, EFAULT);
#endif
        EITHER(ioevent_recvmsg(fd[0], &many, 0), p, 3, EMSGSIZE);
        EITHER(ioevent_readv(fd[0], iov, -1), p, 3, EINVAL);
        EITHER(ioevent_readv(fd[0], iov, 1025), p, 3, EINVAL);
        EITHER(ioevent_writev(fd[0], nowhere, 2), p, 3, EFAULT);
#ifdef __GLIBC__ /* musl's own function reads a msghdr before the kernel does, and so does the library there */
        EITHER(ioevent_sendmsg(fd[0], (struct msghdr *)8, 0), p, 3, EFAULT);
#endif
    }
}

/* Events one by one: those of descriptors that became ready together come each once, in their order. */
static void one_by_one(int p)
{
    enum { N = 60 };
    int fd[N][2];

    for (int i = 0; i < N; i++) {
        unix_pair(fd[i]);
        ATTACH(fd[i][0], p, i);
    }
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < N; i++)
            QUEUED(ioevent_read(fd[i][0], b, 1));
        for (int i = 0; i < N; i++)
            GIVES(write(fd[i][1], "x", 1), 1);
        for (int i = 0; i < N; i++)
            if (round % 2)
                EXPECT(p, i, 1, 0);
            else {
                struct ioevent e;

                GIVES(ioevent_read(p, &e, sizeof e), sizeof e);
                SAME((long)e.ioe_user, i);
                SAME(e.ioe_result, 1);
            }
        QUIET(p);
    }
    for (int i = 0; i < N; i++) {
        GIVES(ioevent_close(fd[i][0]), 0);
        OK(close(fd[i][1]));
    }
}

int main(void)
{
    int p = OK(ioeventpipe(128)), fd[2];

    for (int kind = 0; kind < KINDS; kind++)
        for (int tcp = 0; tcp < 2; tcp++) {
            if (tcp)
                CHECK(tcp_pair(AF_INET, fd));
            else
                unix_pair(fd);
            ATTACH(fd[0], p, kind);
            one(p, kind, fd, kind);
            GIVES(ioevent_close(fd[0]), 0);
            OK(close(fd[1]));
        }
    for (int tcp = 0; tcp < 2; tcp++) {
        if (tcp)
            CHECK(tcp_pair(AF_INET, fd));
        else
            unix_pair(fd);
        ATTACH(fd[0], p, 3);
        submitted(p, fd);
        bad(p, fd);
        GIVES(ioevent_close(fd[0]), 0);
        OK(close(fd[1]));
    }
    one_by_one(p);
    GIVES(ioevent_close(p), 0);
    return 0;
}
