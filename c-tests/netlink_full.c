/*
 * A netlink socket that is connected to a full receiver is ready all the time and takes nothing: a send waits, costs
 * next to nothing until there is room, and comes soon after: rule 2.4, rule 3.2, rule 2.7. Written by every call that
 * takes no address.
 */
#include "test_spin.h"
#include <linux/netlink.h>

enum { WRITE, WRITEV, SEND, SENDMSG, SUBMIT, INLINE, CALLS };
enum { HARVESTED, UNHARVESTED, ENDS };

struct message {
    struct nlmsghdr head;
    char body[1000];
};

static struct message message;

/* A netlink socket with a small buffer, and its address. */
static int netlink_socket(struct sockaddr_nl *a)
{
    int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_USERSOCK), small = 8192;
    socklen_t length = sizeof *a;

    if (s == -1)
        SKIP("no netlink sockets of one's own");
    *a = (struct sockaddr_nl){ .nl_family = AF_NETLINK };
    OK(bind(s, (struct sockaddr *)a, length));
    OK(getsockname(s, (struct sockaddr *)a, &length));
    OK(setsockopt(s, SOL_SOCKET, SO_RCVBUF, &small, sizeof small));
    return s;
}

static ssize_t send_by(int call, int s)
{
    static struct iovec iov[2] = { { &message, 16 }, { (char *)&message + 16, sizeof message - 16 } };
    static struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_WRITE, .ioo_fd = s, .ioo_user = USER(1), .ioo_buf = &message,
                             .ioo_len = sizeof message };

    switch (call) {
    case WRITEV: return ioevent_writev(s, iov, 2);
    case SEND: return ioevent_send(s, &message, sizeof message, 0);
    case SENDMSG: return ioevent_sendmsg(s, &msg, 0);
    case SUBMIT:
        GIVES(ioevent_submit(&op, 1), 1);
        errno = EIOEVENTQUEUED;
        return -1;
    default: return ioevent_write(s, &message, sizeof message);
    }
}

static int fill(int s)
{
    int n = 0;

    while (send(s, &message, sizeof message, MSG_DONTWAIT) == (ssize_t)sizeof message)
        n++;
    CHECK(errno == EAGAIN && n > 0);
    return n;
}

static void run(int call, int how)
{
    struct sockaddr_nl to, from;
    int p = OK(ioeventpipe(8)), r = netlink_socket(&to), s = netlink_socket(&from), fd[2], n;
    struct pollfd ready = { .fd = s, .events = POLLOUT };
    char b[2000];

    OK(connect(s, (struct sockaddr *)&to, sizeof to));
    message.head = (struct nlmsghdr){ .nlmsg_len = sizeof message, .nlmsg_type = NLMSG_MIN_TYPE + 1 };
    n = fill(s);
    GIVES(poll(&ready, 1, 0), 1); /* what makes it hard */
    unix_pair(fd);
    ATTACH(s, p, 1);
    ATTACH(fd[0], p, 2);
    if (call == INLINE)
        GIVES(ioevent_fcntl(s, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    QUEUED(send_by(call, s));
    if (how == HARVESTED)
        IDLE(p, 150);
    else
        IDLE_ALONE(150);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    OK(write(fd[1], "abc", 3));
    EXPECT(p, 2, 3, 0);
    for (int i = 0; i < n; i++)
        SAME(recv(r, b, sizeof b, 0), sizeof message);
    if (how == UNHARVESTED)
        SAME(recv(r, b, sizeof b, 0), sizeof message); /* sent while no thread harvests */
    EXPECT(p, 1, sizeof message, 0);
    if (how == HARVESTED)
        SAME(recv(r, b, sizeof b, MSG_DONTWAIT), sizeof message);
    FAILS(recv(r, b, sizeof b, MSG_DONTWAIT), EAGAIN);
    STAYS_QUIET(p);

    /* ended early */
    fill(s);
    QUEUED(send_by(call, s));
    STAYS_QUIET(p);
    GIVES(ioevent_cancel(s), 1);
    EXPECT(p, 1, -1, ECANCELED);
    GIVES(ioevent_fcntl(s, F_SETIOEVENTTIMEO, &(struct timespec){ 0, 30000000 }), 0);
    QUEUED(send_by(call, s));
    EXPECT(p, 1, -1, ETIMEDOUT);
    STAYS_QUIET(p);
    GIVES(ioevent_close(s), 0);
    GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
    OK(close(r));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int call = 0; call < CALLS; call++)
        for (int how = 0; how < ENDS; how++)
            run(call, how);
    return 0;
}
