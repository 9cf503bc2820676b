/* What an operation does not use is ignored: rule 2.9. Every field that a kind has no use for holds nonsense. */
#include "test.h"

static int p;
static void *bad;

/* An operation whose fields are all nonsense, but for kind, descriptor and user pointer. */
static struct ioevent_op nonsense(int kind, int fd)
{
    return (struct ioevent_op){
        .ioo_kind = (unsigned short)kind, .ioo_fd = fd, .ioo_user = USER(kind), .ioo_buf = bad, .ioo_len = 12345,
        .ioo_addr = bad, .ioo_addrlen = bad, .ioo_offset = -77, .ioo_offset2 = -78, .ioo_fd2 = -79, .ioo_arg = -1,
    };
}

static struct ioevent_op with_buffer(int kind, int fd, void *buf, size_t len)
{
    struct ioevent_op op = nonsense(kind, fd);

    op.ioo_buf = buf;
    op.ioo_len = len;
    return op;
}

/* Gives this result in its event. */
static void gives(struct ioevent_op op, int result)
{
    GIVES(ioevent_submit(&op, 1), 1);
    EXPECT(p, op.ioo_user, result, 0);
}

int main(void)
{
    int fd[2], f = fileno(tmpfile()), l, c, q[2];
    char b[8];
    struct iovec iov = { b, 4 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct address a;
    struct ioevent_op op;

    p = OK(ioeventpipe(4));
    bad = bad_memory();
    unix_pair(fd);
    OK(pipe(q));
    l = listener(AF_UNIX, 4, &a);
    c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    ATTACH(fd[0], p, 99);
    ATTACH(fd[1], p, 99);
    ATTACH(f, p, 99);
    ATTACH(l, p, 99);
    ATTACH(c, p, 99);
    ATTACH(q[1], p, 99);

    gives(with_buffer(IOEVENT_OP_WRITE, fd[0], "abcd", 4), 4);
    gives(with_buffer(IOEVENT_OP_READ, fd[1], b, 8), 4);
    gives(with_buffer(IOEVENT_OP_WRITEV, fd[0], &iov, 1), 4);
    gives(with_buffer(IOEVENT_OP_READV, fd[1], &iov, 1), 4);
    op = with_buffer(IOEVENT_OP_SENDMSG, fd[0], &msg, 777);
    op.ioo_arg = 0;
    gives(op, 4);
    op = with_buffer(IOEVENT_OP_RECVMSG, fd[1], &msg, 777);
    op.ioo_arg = 0;
    gives(op, 4);
    op = with_buffer(IOEVENT_OP_SEND, fd[0], b, 3); /* flags, but no address */
    op.ioo_arg = 0;
    gives(op, 3);
    op = with_buffer(IOEVENT_OP_RECV, fd[1], b, 8);
    op.ioo_arg = 0;
    gives(op, 3);
    for (int i = IOEVENT_OP_PREAD; i <= IOEVENT_OP_PWRITEV; i++) {
        bool vector = i == IOEVENT_OP_PREADV || i == IOEVENT_OP_PWRITEV;

        GIVES(pwrite(f, "0123", 4, 0), 4);
        op = vector ? with_buffer(i, f, &iov, 1) : with_buffer(i, f, b, 4);
        op.ioo_offset = 0;
        gives(op, 4);
    }
    gives(nonsense(IOEVENT_OP_FSYNC, f), 0);
    gives(nonsense(IOEVENT_OP_FDATASYNC, f), 0);
    op = nonsense(IOEVENT_OP_CONNECT, c);
    op.ioo_addr = SOCKADDR(&a);
    op.ioo_addrlen = &a.length;
    gives(op, 0);
    op = nonsense(IOEVENT_OP_ACCEPT, l);
    op.ioo_addr = NULL;
    op.ioo_addrlen = NULL;
    GIVES(ioevent_submit(&op, 1), 1);
    CHECK(HARVEST(p).ioe_result > 0);
    op = nonsense(IOEVENT_OP_SENDFILE, fd[0]);
    op.ioo_fd2 = f;
    op.ioo_offset = 1;
    op.ioo_len = 3;
    gives(op, 3);
    op = nonsense(IOEVENT_OP_SPLICE, q[1]);
    op.ioo_fd2 = f;
    op.ioo_offset = 2;
    op.ioo_offset2 = -1;
    op.ioo_len = 2;
    op.ioo_arg = 0;
    gives(op, 2);
    op = nonsense(IOEVENT_OP_POLL, fd[0]);
    op.ioo_arg = POLLOUT;
    gives(op, POLLOUT);
    gives(nonsense(IOEVENT_OP_TIMER, p), 0);
    op = nonsense(IOEVENT_OP_SHUTDOWN, fd[0]);
    op.ioo_arg = SHUT_WR;
    gives(op, 0);
    STAYS_QUIET(p);
    return 0;
}
