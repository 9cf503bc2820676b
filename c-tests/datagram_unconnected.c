/*
 * An AF_UNIX datagram socket whose receiver is full is ready all the time and takes nothing, if it is not connected
 * or connected to another. A send waits for room, costs next to nothing until then, and is done soon after: rule 2.4,
 * rule 3.2. Whichever thread harvests, or none: rule 2.7.
 */
#include "test_spin.h"

enum { SENDTO, SENDMSG, SUBMIT, SUBMIT_MSG, INLINE, ELSEWHERE, CONNECTED, CALLS };
enum { HARVESTED, UNHARVESTED, NONBLOCK_PIPE, HOWS };

static ssize_t send_by(int call, int s, struct receiver *r)
{
    static struct iovec iov = { "last", 4 };
    static struct msghdr msg;
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_SENDTO, .ioo_fd = s, .ioo_user = USER(1), .ioo_buf = "last",
                             .ioo_len = 4, .ioo_addr = SOCKADDR(&r->address), .ioo_addrlen = &r->address.length };

    msg = (struct msghdr){ .msg_name = &r->address.storage, .msg_namelen = r->address.length, .msg_iov = &iov,
                           .msg_iovlen = 1 };
    switch (call) {
    case SENDMSG:
        return ioevent_sendmsg(s, &msg, 0);
    case SUBMIT_MSG:
        op = (struct ioevent_op){ .ioo_kind = IOEVENT_OP_SENDMSG, .ioo_fd = s, .ioo_user = USER(1), .ioo_buf = &msg };
        /* fall through */
    case SUBMIT:
        GIVES(ioevent_submit(&op, 1), 1);
        errno = EIOEVENTQUEUED;
        return -1;
    case CONNECTED:
        return ioevent_write(s, "last", 4);
    default:
        return ioevent_sendto(s, "last", 4, 0, SOCKADDR(&r->address), r->address.length);
    }
}

static void run(int call, int how, bool nonblock)
{
    int p = OK(ioeventpipe2(8, how == NONBLOCK_PIPE ? O_NONBLOCK : 0)), s = OK(socket(AF_UNIX, SOCK_DGRAM, 0)), fd[2];
    struct receiver r, other;
    char b[8];

    make_receiver(&r);
    fill_receiver(&r);
    make_receiver(&other);
    if (call == ELSEWHERE) /* poll(2) asks about this one */
        OK(connect(s, SOCKADDR(&other.address), other.address.length));
    else if (call == CONNECTED)
        OK(connect(s, SOCKADDR(&r.address), r.address.length));
    unix_pair(fd);
    set_nonblock(s, nonblock);
    ATTACH(s, p, 1);
    ATTACH(fd[0], p, 2);
    if (call == INLINE)
        GIVES(ioevent_fcntl(s, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    QUEUED(send_by(call, s, &r));
    if (how == UNHARVESTED)
        IDLE_ALONE(150);
    else
        IDLE(p, 150);

    /* others are served */
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    OK(write(fd[1], "abc", 3));
    EXPECT(p, 2, 3, 0);

    empty_receiver(&r);
    if (how == NONBLOCK_PIPE) { /* it says so, and is not looked at before */
        struct pollfd ready = { .fd = p, .events = POLLIN };

        CHECK(poll(&ready, 1, test_timeout() * 500) == 1);
    }
    if (how == UNHARVESTED) {
        SAME(recv(r.fd, b, sizeof b, 0), 4); /* blocks until the library has sent it by itself */
        EXPECT(p, 1, 4, 0);
    } else {
        EXPECT(p, 1, 4, 0);
        SAME(recv(r.fd, b, sizeof b, MSG_DONTWAIT), 4);
    }
    CHECK(memcmp(b, "last", 4) == 0);
    FAILS(recv(r.fd, b, sizeof b, MSG_DONTWAIT), EAGAIN);
    if (how == NONBLOCK_PIPE) {
        struct ioevent e;

        FAILS(ioevent_read(p, &e, sizeof e), EAGAIN);
    }
    STAYS_QUIET(p);

    /* the receiver goes away instead */
    fill_receiver(&r);
    QUEUED(send_by(call, s, &r));
    STAYS_QUIET(p);
    OK(close(r.fd));
    OK(close(other.fd));
    EXPECT(p, 1, -1, ECONNREFUSED);
    STAYS_QUIET(p);
    GIVES(ioevent_close(s), 0);
    GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int call = 0; call < CALLS; call++)
        for (int how = 0; how < HOWS; how++)
            run(call, how, (call + how) % 2);
    return 0;
}
