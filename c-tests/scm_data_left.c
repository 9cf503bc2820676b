/*
 * Messages with descriptors end a read early and leave data behind them: no read stays asleep over data that is
 * there. rule 2.4
 */
#include "test.h"

int main(void)
{
    int fd[2], p = OK(ioeventpipe(8));
    union { char space[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } out;
    char b[3][64];
    struct iovec x = { "xx", 2 };
    struct msghdr send = { .msg_iov = &x, .msg_iovlen = 1, .msg_control = out.space,
        .msg_controllen = sizeof out.space };
    struct cmsghdr *c = (memset(&out, 0, sizeof out), CMSG_FIRSTHDR(&send));

    unix_pair(fd);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd[1], sizeof(int));
    ATTACH(fd[0], p, 1);
    /* three pieces that one read cannot cross: without, with, without descriptors */
    OK(write(fd[1], "aaa", 3));
    OK(sendmsg(fd[1], &send, 0));
    OK(write(fd[1], "bbb", 3));
    QUIET(p); /* what the kernel tells of new data, it has told now */
    for (int i = 0; i < 3; i++)
        QUEUED(ioevent_read(fd[0], b[i], sizeof b[i]));
    for (size_t total = 0; total < 8;) { /* however the kernel cuts it, all of it comes */
        struct ioevent e = HARVEST(p);

        CHECK(e.ioe_result > 0);
        total += (size_t)e.ioe_result;
    }
    /* again with the reads first, and one after the other */
    GIVES(ioevent_cancel(fd[0]) >= 0, 1);
    while (ioevent_wait(p, &(struct ioevent){ 0 }, 1, &no_wait) == 1)
        ;
    QUEUED(ioevent_read(fd[0], b[0], sizeof b[0]));
    QUIET(p);
    OK(write(fd[1], "aaa", 3));
    OK(sendmsg(fd[1], &send, 0));
    OK(write(fd[1], "bbb", 3));
    for (size_t total = 0;;) {
        struct ioevent e = HARVEST(p);

        CHECK(e.ioe_result > 0);
        total += (size_t)e.ioe_result;
        if (total >= 8)
            break;
        QUEUED(ioevent_read(fd[0], b[0], sizeof b[0]));
    }
    return 0;
}
