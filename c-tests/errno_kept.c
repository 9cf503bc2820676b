/* No function changes errno when it succeeds: rule 5.1. */
#include "test.h"

#define KEEPS(call)                                                             \
    do {                                                                        \
        TEST_HERE(#call);                                                       \
        errno = 4321;                                                           \
        long long r_ = (long long)(call);                                       \
        if (r_ == -1 || errno != 4321)                                          \
            test_fail(&test_place_, errno, "gave %lld and changed errno", r_);  \
    } while (0)

int main(void)
{
    int fd[2], p, p2, pipefd, l, c;
    void *user;
    char b[16];
    struct iovec iov = { b, 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct ioevent event = { 0 };
    struct timespec soon = { 0, 1000000 };
    struct address a;

    errno = 4321;
    p = ioeventpipe(8);
    SAME(errno, 4321);
    CHECK(p >= 0);
    p2 = ioeventpipe2(8, O_CLOEXEC | O_NONBLOCK);
    SAME(errno, 4321);
    CHECK(p2 >= 0);
    unix_pair(fd);

    /* not attached */
    KEEPS(ioevent_write(fd[1], "abcdefgh", 8));
    KEEPS(ioevent_read(fd[0], b, 1));
    KEEPS(ioevent_readv(fd[0], &iov, 1));
    KEEPS(ioevent_recv(fd[0], b, 1, 0));
    KEEPS(ioevent_recvfrom(fd[0], b, 1, 0, NULL, NULL));
    KEEPS(ioevent_recvmsg(fd[0], &msg, 0));
    KEEPS(ioevent_writev(fd[1], &iov, 1));
    KEEPS(ioevent_send(fd[1], b, 1, 0));
    KEEPS(ioevent_sendto(fd[1], b, 1, 0, NULL, 0));
    KEEPS(ioevent_sendmsg(fd[1], &msg, 0));
    l = listener(AF_INET, 2, &a);
    c = OK(socket(AF_INET, SOCK_STREAM, 0));
    KEEPS(ioevent_connect(c, SOCKADDR(&a), a.length));
    KEEPS(ioevent_accept(l, NULL, NULL));
    KEEPS(ioevent_close(c));
    KEEPS(ioevent_fcntl(fd[0], F_GETFL));
    KEEPS(ioevent_fcntl(fd[0], F_GETIOEVENTPIPE, &pipefd, &user));
    SAME(pipefd, -1);
    KEEPS(ioevent_fcntl(fd[0], F_SETIOEVENTPIPE, -1, (void *)NULL));

    /* attached */
    KEEPS(ioevent_fcntl(fd[0], F_SETIOEVENTPIPE, p, (void *)b));
    KEEPS(ioevent_fcntl(fd[0], F_GETIOEVENTPIPE, &pipefd, &user));
    KEEPS(ioevent_cancel(fd[0]));
    QUEUED(ioevent_read(fd[0], b, 1)); /* finds data */
    KEEPS(ioevent_wait(p, &event, 1, NULL));
    QUEUED(ioevent_read(fd[0], b, 16));
    KEEPS(ioevent_wait(p, &event, 1, NULL));
    QUEUED(ioevent_read(fd[0], b, 16)); /* finds nothing */
    KEEPS(ioevent_wait(p, &event, 1, &no_wait));
    KEEPS(ioevent_wait(p, &event, 1, &soon));
    KEEPS(ioevent_cancel(fd[0]));
    KEEPS(ioevent_read(p, &event, sizeof event));
    SAME(event.ioe_errno, ECANCELED);
    QUEUED(ioevent_read(fd[0], b, 16));
    KEEPS(ioevent_fcntl(fd[0], F_SETIOEVENTPIPE, p, (void *)NULL));
    KEEPS(ioevent_fcntl(fd[0], F_SETIOEVENTPIPE, p2, (void *)NULL));
    KEEPS(ioevent_fcntl(fd[0], F_SETIOEVENTPIPE, -1, (void *)NULL));
    KEEPS(ioevent_wait(p, &event, 1, NULL));
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_read(fd[0], b, 16));
    KEEPS(ioevent_close(fd[0]));
    KEEPS(ioevent_wait(p, &event, 1, NULL));

    /* the pipe itself */
    KEEPS(ioevent_write(p, &event, sizeof event));
    KEEPS(ioevent_read(p, &event, sizeof event));
    KEEPS(ioevent_fcntl(p, F_SETFL, O_NONBLOCK));
    KEEPS(ioevent_fcntl(p, F_GETFL));
    ATTACH(fd[1], p, 1);
    QUEUED(ioevent_poll(fd[1], POLLIN));
    KEEPS(ioevent_close(p));
    KEEPS(ioevent_close(p2));
    return 0;
}
