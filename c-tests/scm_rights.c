/* Descriptors travel through sendmsg and recvmsg (SCM_RIGHTS) as with the blocking calls: rule 2.4. */
#include "test.h"

static void run(int type, bool data_first, int flags)
{
    int fd[2], pipes[2], got, p = OK(ioeventpipe(4));
    union { char space[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } in, out;
    char b[4] = "";
    struct iovec iov = { b, 1 }, x = { "x", 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = in.space,
        .msg_controllen = sizeof in.space };
    struct msghdr send = { .msg_iov = &x, .msg_iovlen = 1, .msg_control = out.space,
        .msg_controllen = sizeof out.space };
    struct cmsghdr *c = (memset(&out, 0, sizeof out), CMSG_FIRSTHDR(&send));

    OK(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fd));
    OK(pipe2(pipes, O_CLOEXEC));
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &pipes[1], sizeof(int));
    ATTACH(fd[0], p, 1);
    ATTACH(fd[1], p, 2);
    memset(&in, 0, sizeof in);
    if (!data_first) {
        QUEUED(ioevent_recvmsg(fd[0], &msg, flags));
        QUIET(p);
    }
    QUEUED(ioevent_sendmsg(fd[1], &send, 0));
    if (data_first) {
        EXPECT(p, 2, 1, 0);
        QUEUED(ioevent_recvmsg(fd[0], &msg, flags));
        EXPECT(p, 1, 1, 0);
    } else {
        for (int i = 0; i < 2; i++) {
            struct ioevent e = HARVEST(p);

            SAME(e.ioe_errno, 0);
            SAME(e.ioe_result, 1);
        }
    }
    SAME(b[0], 'x');
    c = CMSG_FIRSTHDR(&msg);
    CHECK(c != NULL);
    SAME(msg.msg_controllen, sizeof in.space);
    SAME(c->cmsg_type, SCM_RIGHTS);
    SAME(c->cmsg_len, CMSG_LEN(sizeof(int)));
    memcpy(&got, CMSG_DATA(c), sizeof got);
    SAME(fcntl(got, F_GETFD), flags & MSG_CMSG_CLOEXEC ? FD_CLOEXEC : 0);
    ATTACHED(got, -1, 0);
    OK(write(got, "y", 1));
    read_all(pipes[0], b, 1);
    SAME(b[0], 'y');
    OK(close(got));
    OK(close(pipes[0]));
    OK(close(pipes[1]));
    GIVES(ioevent_close(fd[0]), 0);
    GIVES(ioevent_close(fd[1]), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };

    for (int i = 0; i < 3; i++) {
        run(types[i], false, 0);
        run(types[i], true, 0);
        run(types[i], true, MSG_CMSG_CLOEXEC);
    }
    return 0;
}
