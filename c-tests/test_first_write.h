/* What the tests of connections that begin with the first write share: that write, in each way there is. */
#ifndef TEST_FIRST_WRITE_H
#define TEST_FIRST_WRITE_H

#include "test_connect.h"

enum { WRITE, WRITEV, SEND, SENDMSG, SUBMIT, WAYS };

static int p;

/* How the first write ends: the bytes, or the errno negated. The socket is attached to `p` with 1, or not at all. */
static inline long outcome(int way, int s, const char *data, size_t n)
{
    static struct iovec iov[2];
    static struct msghdr message;
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_WRITE, .ioo_fd = s, .ioo_user = USER(1), .ioo_len = n };
    struct ioevent e;
    long r = -1;

    iov[0] = (struct iovec){ (void *)(uintptr_t)data, n / 2 };
    iov[1] = (struct iovec){ (char *)iov[0].iov_base + n / 2, n - n / 2 };
    message = (struct msghdr){ .msg_iov = iov, .msg_iovlen = 2 };
    errno = EIOEVENTQUEUED;
    if (way == WRITE)
        r = ioevent_write(s, data, n);
    else if (way == WRITEV)
        r = ioevent_writev(s, iov, 2);
    else if (way == SEND)
        r = ioevent_send(s, data, n, 0);
    else if (way == SENDMSG)
        r = ioevent_sendmsg(s, &message, 0);
    else {
        op.ioo_buf = iov[0].iov_base;
        GIVES(ioevent_submit(&op, 1), 1);
        errno = EIOEVENTQUEUED;
    }
    if (r != -1 || errno != EIOEVENTQUEUED)
        return r == -1 ? -errno : r;
    e = HARVEST(p);
    CHECK(e.ioe_user == USER(1));
    return e.ioe_result == -1 ? -e.ioe_errno : e.ioe_result;
}

#endif
