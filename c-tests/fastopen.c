/*
 * A send with MSG_FASTOPEN connects, waits for the connection, and gives what the blocking call gives: the bytes, or
 * the error of the connection; EINPROGRESS and EALREADY are never delivered: rule 2.4.
 */
#include "test_connect.h"

enum { SENDTO, SENDMSG, SUBMIT_SENDTO, SUBMIT_SENDMSG, WAYS };

static int p;
static struct iovec iov[2];
static struct msghdr message;

/* What the call gives; if it is queued, what its event says. */
static long outcome(int way, int s, const char *data, size_t n, struct address *to)
{
    struct ioevent_op op = { .ioo_fd = s, .ioo_user = USER(1), .ioo_arg = MSG_FASTOPEN };
    struct ioevent e;
    long r;

    iov[0] = (struct iovec){ (void *)(uintptr_t)data, n / 2 };
    iov[1] = (struct iovec){ (char *)iov[0].iov_base + n / 2, n - n / 2 };
    message = (struct msghdr){ .msg_name = &to->storage, .msg_namelen = to->length, .msg_iov = iov, .msg_iovlen = 2 };
    switch (way) {
    case SENDTO:
        r = ioevent_sendto(s, data, n, MSG_FASTOPEN, SOCKADDR(to), to->length);
        break;
    case SENDMSG:
        r = ioevent_sendmsg(s, &message, MSG_FASTOPEN);
        break;
    case SUBMIT_SENDTO:
        op.ioo_kind = IOEVENT_OP_SENDTO;
        op.ioo_buf = (void *)(uintptr_t)data;
        op.ioo_len = n;
        op.ioo_addr = SOCKADDR(to);
        op.ioo_addrlen = &to->length;
        GIVES(ioevent_submit(&op, 1), 1);
        r = -1;
        errno = EIOEVENTQUEUED;
        break;
    default:
        op.ioo_kind = IOEVENT_OP_SENDMSG;
        op.ioo_buf = &message;
        GIVES(ioevent_submit(&op, 1), 1);
        r = -1;
        errno = EIOEVENTQUEUED;
        break;
    }
    if (r != -1 || errno != EIOEVENTQUEUED)
        return r == -1 ? -errno : r;
    e = HARVEST(p);
    CHECK(e.ioe_user == USER(1));
    return e.ioe_result == -1 ? -e.ioe_errno : e.ioe_result;
}

static int attached(int flags, bool nonblock)
{
    int s = tcp_socket();

    set_nonblock(s, nonblock);
    ATTACH(s, p, 1);
    GIVES(ioevent_fcntl(s, F_SETIOEVENTFLAGS, flags), 0);
    return s;
}

static void to_listener(int way, int flags, bool nonblock, size_t n)
{
    static char data[8 << 20], got[8 << 20];
    struct address a;
    struct pollfd ready;
    int l = listener(AF_INET, 4, &a), s = attached(flags, nonblock), peer;
    pid_t pid;

    put_pattern(data, 0, n);
    if (child(&pid)) { /* the peer reads all there is, to the end, and counts */
        close(s);
        peer = OK(accept(l, NULL, NULL));
        read_all(peer, got, n);
        CHECK(is_pattern(got, 0, n));
        CHECK(sees_end(peer));
        _exit(0);
    }
    SAME(outcome(way, s, data, n, &a), (long)n);
    QUIET(p);
    GIVES(ioevent_close(s), 0);
    CHILD_PASSED(pid);
    ready = (struct pollfd){ .fd = l, .events = POLLIN };
    GIVES(poll(&ready, 1, 0), 0); /* it has connected once */
    OK(close(l));
}

static void to_nobody(int way, int flags, bool nonblock)
{
    struct address a;
    int nobody = closed_port(&a), s = attached(flags, nonblock), twin = tcp_socket();

    FAILS(sendto(twin, "hello", 5, MSG_FASTOPEN, SOCKADDR(&a), a.length), ECONNREFUSED);
    SAME(outcome(way, s, "hello", 5, &a), -ECONNREFUSED);
    STAYS_QUIET(p);
    GIVES(ioevent_close(s), 0);
    OK(close(nobody));
    OK(close(twin));
}

int main(void)
{
    need_fastopen();
    p = OK(ioeventpipe(8));
    for (int way = 0; way < WAYS; way++)
        for (int k = 0; k < 4; k++) {
            to_listener(way, k & 1 ? IOEVENT_INLINE : 0, k & 2, 5);
            to_nobody(way, k & 1 ? IOEVENT_INLINE : 0, k & 2);
        }
    for (int way = 0; way < WAYS; way++) /* more than a send buffer */
        to_listener(way, way & 1 ? IOEVENT_INLINE : 0, false, 8 << 20);
    return 0;
}
