/* Bad pointers given with a descriptor that is not attached are the kernel's to refuse: EFAULT. rule 1.1. */
#include "test.h"

int main(void)
{
    int fd[2], l;
    char b[4] = "abc", *bad;
    struct iovec iov = { b, 4 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct address a;

    if (on_valgrind())
        SKIP("valgrind reports the bad pointers");
    bad = bad_memory();
    unix_pair(fd);
    OK(write(fd[1], "x", 1));
    FAILS(ioevent_read(fd[0], bad, 4), EFAULT);
    FAILS(ioevent_recv(fd[0], bad, 4, 0), EFAULT);
    FAILS(ioevent_write(fd[0], bad, 4), EFAULT);
    FAILS(ioevent_send(fd[0], bad, 4, 0), EFAULT);
    FAILS(ioevent_readv(fd[0], (struct iovec *)(void *)bad, 1), EFAULT);
    FAILS(ioevent_writev(fd[0], (struct iovec *)(void *)bad, 1), EFAULT);
#ifdef __GLIBC__ /* musl's reads it itself */
    FAILS(ioevent_recvmsg(fd[0], (struct msghdr *)(void *)bad, 0), EFAULT);
    FAILS(ioevent_sendmsg(fd[0], (struct msghdr *)(void *)bad, 0), EFAULT);
#endif
    iov.iov_base = bad;
    FAILS(ioevent_readv(fd[0], &iov, 1), EFAULT);
    FAILS(ioevent_recvmsg(fd[0], &msg, 0), EFAULT);
    FAILS(ioevent_sendmsg(fd[0], &msg, 0), EFAULT);
    l = listener(AF_INET, 1, &a);
    FAILS(ioevent_connect(l, (struct sockaddr *)(void *)bad, sizeof(struct sockaddr_in)), EFAULT);
    FAILS(ioevent_fcntl(fd[0], F_SETLK, (struct flock *)(void *)bad), EFAULT);
    GIVES(ioevent_read(fd[0], b, 4), 1);
    return 0;
}
