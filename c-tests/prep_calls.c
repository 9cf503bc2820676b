/*
 * What ioevent_prep_X has filled does, once submitted, what the call X does with the same arguments: rule 2.9.
 */
#include "test.h"

static int p;

/* The operation that ioevent_prep_##prep makes is taken. */
#define SUBMIT(prep, fd, ...)                                                   \
    do {                                                                        \
        struct ioevent_op op_;                                                  \
        ioevent_prep_##prep(&op_, fd, __VA_ARGS__);                             \
        GIVES(ioevent_submit(&op_, 1), 1);                                      \
        memset(&op_, 0xee, sizeof op_); /* nothing of it is needed any more */  \
    } while (0)

static bool is(const char *buffer, const char *bytes) { return memcmp(buffer, bytes, strlen(bytes)) == 0; }

static void streams(void)
{
    struct address at, peer = { .length = sizeof peer.storage }, own = { .length = sizeof own.storage };
    int l = listener(AF_INET, 4, &at), c = OK(socket(AF_INET, SOCK_STREAM, 0)), s;
    char b[8], x[8];
    struct iovec out[2] = { { "ab", 2 }, { "cde", 3 } }, in[2] = { { b, 4 }, { x, 8 } };
    const struct msghdr sent = { .msg_iov = out, .msg_iovlen = 2 };
    struct msghdr received = { .msg_iov = in, .msg_iovlen = 2 };

    ATTACH(l, p, 99);
    ATTACH(c, p, 99);
    SUBMIT(connect, c, SOCKADDR(&at), &at.length, USER(1));
    EXPECT(p, 1, 0, 0);
    SUBMIT(accept, l, SOCKADDR(&peer), &peer.length, USER(2));
    s = HARVEST(p).ioe_result;
    OK(getsockname(c, SOCKADDR(&own), &own.length));
    SAME(peer.length, own.length);
    CHECK(memcmp(&peer.storage, &own.storage, own.length) == 0);
    ATTACH(s, p, 99);

    SUBMIT(write, s, "xyz", 3, USER(3));
    EXPECT(p, 3, 3, 0);
    SUBMIT(recv, c, b, 8, MSG_PEEK, USER(4));
    EXPECT(p, 4, 3, 0);
    SUBMIT(read, c, b, 8, USER(5));
    EXPECT(p, 5, 3, 0);
    CHECK(is(b, "xyz"));
    SUBMIT(writev, s, out, 2, USER(6));
    EXPECT(p, 6, 5, 0);
    SUBMIT(readv, c, in, 2, USER(7));
    EXPECT(p, 7, 5, 0);
    CHECK(is(b, "abcd") && is(x, "e"));
    SUBMIT(sendmsg, s, &sent, 0, USER(8));
    EXPECT(p, 8, 5, 0);
    b[0] = x[0] = 0;
    SUBMIT(recvmsg, c, &received, 0, USER(9));
    EXPECT(p, 9, 5, 0);
    CHECK(is(b, "abcd") && is(x, "e"));
    SUBMIT(poll, c, POLLIN, USER(10));
    QUIET(p);
    SUBMIT(send, s, "!", 1, MSG_OOB, USER(11));
    EXPECT(p, 11, 1, 0);
    SUBMIT(recv, c, b, 1, MSG_OOB, USER(12));
    EXPECT(p, 12, 1, 0);
    CHECK(is(b, "!"));
    SUBMIT(shutdown, s, SHUT_WR, USER(13));
    for (int i = 0; i < 2; i++) { /* and the poll is over */
        struct ioevent e = HARVEST(p);

        SAME(e.ioe_result, e.ioe_user == USER(13) ? 0 : POLLIN);
    }
    SUBMIT(read, c, b, 8, USER(14));
    EXPECT(p, 14, 0, 0);

    SUBMIT(accept4, l, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK, USER(15));
    OK(connect(OK(socket(AF_INET, SOCK_STREAM, 0)), SOCKADDR(&at), at.length));
    s = HARVEST(p).ioe_result;
    SAME(fcntl(s, F_GETFD), FD_CLOEXEC);
    CHECK(fcntl(s, F_GETFL) & O_NONBLOCK);
}

static void datagrams(void)
{
    struct address a, b, from = { .length = sizeof from.storage };
    int s = bound_socket(AF_INET, SOCK_DGRAM, &a), r = bound_socket(AF_INET, SOCK_DGRAM, &b);
    char x[8];

    ATTACH(s, p, 99);
    ATTACH(r, p, 99);
    SUBMIT(sendto, s, "datagram", 8, 0, SOCKADDR(&b), &b.length, USER(1));
    EXPECT(p, 1, 8, 0);
    SUBMIT(recvfrom, r, x, 4, MSG_TRUNC, SOCKADDR(&from), &from.length, USER(2));
    EXPECT(p, 2, 8, 0);
    CHECK(is(x, "data"));
    SAME(from.length, a.length);
    CHECK(memcmp(&from.storage, &a.storage, a.length) == 0);
}

static void files(void)
{
    int f = fileno(tmpfile()), q[2], from[2], fd[2];
    char b[16] = "", x[8];
    const struct iovec out[2] = { { "abcd", 4 }, { "ef", 2 } }, in[2] = { { b, 3 }, { x, 4 } };

    OK(pipe(q));
    OK(pipe(from));
    unix_pair(fd);
    ATTACH(f, p, 99);
    ATTACH(q[1], p, 99);
    ATTACH(fd[1], p, 99);
    SUBMIT(pwrite, f, "0123456789", 10, 0, USER(1));
    EXPECT(p, 1, 10, 0);
    SUBMIT(pwritev, f, out, 2, 2, USER(2));
    EXPECT(p, 2, 6, 0); /* 01abcdef89 */
    SAME(lseek(f, 0, SEEK_CUR), 0);
    SUBMIT(pread, f, b, 3, 1, USER(3));
    EXPECT(p, 3, 3, 0);
    CHECK(is(b, "1ab"));
    SUBMIT(preadv, f, in, 2, 5, USER(4));
    EXPECT(p, 4, 5, 0);
    CHECK(is(b, "def") && is(x, "89"));
    SUBMIT(fsync, f, USER(5));
    EXPECT(p, 5, 0, 0);
    SUBMIT(fdatasync, f, USER(6));
    EXPECT(p, 6, 0, 0);
    SUBMIT(sendfile, fd[1], f, 4, 3, USER(7));
    EXPECT(p, 7, 3, 0);
    read_all(fd[0], b, 3);
    CHECK(is(b, "cde"));
    SUBMIT(splice, f, 6, q[1], -1, 4, SPLICE_F_MORE, USER(8));
    EXPECT(p, 8, 4, 0);
    read_all(q[0], b, 4);
    CHECK(is(b, "ef89"));
    OK(write(from[1], "XY", 2));
    SUBMIT(splice, from[0], -1, f, 9, 2, 0, USER(9));
    EXPECT(p, 9, 2, 0);
    SAME(lseek(f, 0, SEEK_CUR), 0);
    DETACH(f);
    SAME(pread(f, b, sizeof b, 0), 11);
    CHECK(is(b, "01abcdef8XY"));
}

static void others(void)
{
    const struct timespec brief = { 0, 1000000 };
    siginfo_t info;
    pid_t pid;
    int fd;

    SUBMIT(timer, p, &brief, USER(1));
    EXPECT(p, 1, 0, 0);
    if (child(&pid))
        _exit(7);
    fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd == -1) {
        OK(waitpid(pid, NULL, 0));
        return;
    }
    ATTACH(fd, p, 99);
    SUBMIT(waitid, fd, &info, WEXITED, USER(2));
    EXPECT(p, 2, 0, 0);
    SAME(info.si_pid, pid);
    SAME(info.si_status, 7);
}

int main(void)
{
    p = OK(ioeventpipe(4));
    streams();
    datagrams();
    files();
    others();
    STAYS_QUIET(p);
    return 0;
}
