/*
 * The command numbers mean nothing to the kernel, and libc does not know the errors; no number of the header changes
 * once it is released, nor does the layout of a struct: rule 1.2.
 */
#include "test.h"

static void refused(int fd)
{
    int pipefd = -77;
    void *user = NULL;
    struct timespec t = { 5, 6 };

    FAILS(fcntl(fd, F_SETIOEVENTPIPE, -1, (void *)NULL), EINVAL);
    FAILS(fcntl(fd, F_GETIOEVENTPIPE, &pipefd, &user), EINVAL);
    SAME(pipefd, -77);
    FAILS(fcntl(fd, F_SETIOEVENTTIMEO, &t), EINVAL);
    FAILS(fcntl(fd, F_GETIOEVENTTIMEO, &t), EINVAL);
    FAILS(fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE), EINVAL);
    FAILS(fcntl(fd, F_GETIOEVENTFLAGS), EINVAL);
    FAILS(fcntl(fd, F_SETIOEVENTSZ, 100), EINVAL);
    FAILS(fcntl(fd, F_GETIOEVENTSZ), EINVAL);
    FAILS(fcntl(fd, F_GETIOEVENTCNT), EINVAL);
}

/* The field is there, and of this type. */
#define FIELD(structure, name, offset, type)                                    \
    do {                                                                        \
        SAME(offsetof(structure, name), offset);                                \
        SAME(__builtin_types_compatible_p(__typeof__(((structure *)0)->name), type), 1); \
    } while (0)

__attribute__((unused)) static void unknown(int error)
{
    char text[64];

    snprintf(text, sizeof text, "Unknown error %d", error);
    CHECK(strcmp(strerror(error), text) == 0);
}

int main(void)
{
    int fd[2], p = OK(ioeventpipe(1));

    unix_pair(fd);
    refused(fd[0]);
    OK(pipe(fd));
    refused(fd[0]);
    refused(fd[1]);
    refused(OK(open("/", O_RDONLY)));
    refused(OK(open("/dev/null", O_RDWR)));
    refused(p);
#ifdef __GLIBC__ /* its words */
    unknown(EIOEVENTFULL);
    unknown(EIOEVENTQUEUED);
#endif
    /* they never change once released */
    SAME(F_SETIOEVENTPIPE, 0x494f0001);
    SAME(F_GETIOEVENTPIPE, 0x494f0002);
    SAME(F_SETIOEVENTTIMEO, 0x494f0003);
    SAME(F_GETIOEVENTTIMEO, 0x494f0004);
    SAME(F_SETIOEVENTFLAGS, 0x494f0005);
    SAME(F_GETIOEVENTFLAGS, 0x494f0006);
    SAME(F_SETIOEVENTSZ, 0x494f0007);
    SAME(F_GETIOEVENTSZ, 0x494f0008);
    SAME(F_GETIOEVENTCNT, 0x494f0009);
    SAME(EIOEVENTFULL, 1997);
    SAME(EIOEVENTQUEUED, 1998);
    SAME(IOEVENT_INLINE, 1);
    SAME(IOEVENT_POLLONLY, 2);
    SAME(IOEVENT_CANCEL_IN, 1);
    SAME(IOEVENT_CANCEL_OUT, 2);
    SAME(IOEVENT_CANCEL_POLL, 4);
    SAME(IOEVENT_CANCEL_ALL, 7);
    SAME(IOEVENT_CANCEL_USER, 8);
    SAME(IOEVENT_OP_READ, 1);
    SAME(IOEVENT_OP_WRITE, 2);
    SAME(IOEVENT_OP_READV, 3);
    SAME(IOEVENT_OP_WRITEV, 4);
    SAME(IOEVENT_OP_PREAD, 5);
    SAME(IOEVENT_OP_PWRITE, 6);
    SAME(IOEVENT_OP_PREADV, 7);
    SAME(IOEVENT_OP_PWRITEV, 8);
    SAME(IOEVENT_OP_RECV, 9);
    SAME(IOEVENT_OP_RECVFROM, 10);
    SAME(IOEVENT_OP_RECVMSG, 11);
    SAME(IOEVENT_OP_SEND, 12);
    SAME(IOEVENT_OP_SENDTO, 13);
    SAME(IOEVENT_OP_SENDMSG, 14);
    SAME(IOEVENT_OP_ACCEPT, 15);
    SAME(IOEVENT_OP_ACCEPT4, 16);
    SAME(IOEVENT_OP_CONNECT, 17);
    SAME(IOEVENT_OP_SENDFILE, 18);
    SAME(IOEVENT_OP_SPLICE, 19);
    SAME(IOEVENT_OP_FSYNC, 20);
    SAME(IOEVENT_OP_FDATASYNC, 21);
    SAME(IOEVENT_OP_WAITID, 22);
    SAME(IOEVENT_OP_SHUTDOWN, 23);
    SAME(IOEVENT_OP_POLL, 24);
    SAME(IOEVENT_OP_TIMER, 25);

    FIELD(struct ioevent, ioe_user, 0, void *);
    FIELD(struct ioevent, ioe_result, 8, int);
    FIELD(struct ioevent, ioe_errno, 12, int);
    SAME(sizeof(struct ioevent), 16);
    SAME(_Alignof(struct ioevent), 8);
    FIELD(struct ioevent_op, ioo_kind, 0, unsigned short);
    FIELD(struct ioevent_op, ioo_flags, 2, unsigned short);
    FIELD(struct ioevent_op, ioo_fd, 4, int);
    FIELD(struct ioevent_op, ioo_user, 8, void *);
    FIELD(struct ioevent_op, ioo_buf, 16, void *);
    FIELD(struct ioevent_op, ioo_len, 24, size_t);
    FIELD(struct ioevent_op, ioo_addr, 32, struct sockaddr *);
    FIELD(struct ioevent_op, ioo_addrlen, 40, socklen_t *);
    FIELD(struct ioevent_op, ioo_offset, 48, long long);
    FIELD(struct ioevent_op, ioo_offset2, 56, long long);
    FIELD(struct ioevent_op, ioo_fd2, 64, int);
    FIELD(struct ioevent_op, ioo_arg, 68, int);
    FIELD(struct ioevent_op, ioo_timeout, 72, struct timespec);
    FIELD(struct ioevent_op, ioo_zero, 88, unsigned long[4]);
    SAME(sizeof(struct ioevent_op), 120);
    SAME(_Alignof(struct ioevent_op), 8);
    return 0;
}
