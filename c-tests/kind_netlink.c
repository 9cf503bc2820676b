/* Sockets of every kind can be attached, netlink too: rule 4.1. */
#include "test.h"
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

int main(void)
{
    int p = OK(ioeventpipe(8)), fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    static union { struct nlmsghdr header; char space[65536]; } b;
    struct { struct nlmsghdr header; struct rtgenmsg gen; } ask = {
        { .nlmsg_len = sizeof ask, .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
          .nlmsg_seq = 42 },
        { .rtgen_family = AF_UNSPEC }
    };
    struct ioevent e;

    if (fd == -1)
        SKIP("no netlink");
    ATTACH(fd, p, 1);
    QUEUED(ioevent_recv(fd, &b, sizeof b, 0));
    QUIET(p);
    OK(send(fd, &ask, sizeof ask, 0));
    e = HARVEST(p);
    CHECK(e.ioe_result >= (int)sizeof b.header);
    SAME(b.header.nlmsg_seq, 42);
    QUEUED(ioevent_poll(fd, POLLOUT));
    EXPECT(p, 1, POLLOUT, 0);
    GIVES(ioevent_close(fd), 0);
    return 0;
}
