/*
 * What the matrix of errno_matrix_calls.c calls: each I/O call, with good and bad arguments, by our name and by libc's.
 */
#ifndef ERRNO_MATRIX_ROWS_H
#define ERRNO_MATRIX_ROWS_H

#include "errno_matrix_files.h"
#include <sys/sendfile.h>

static char text[64] = "text", into[64];
static struct iovec iov[2] = { { into, 5 }, { into + 5, 20 } };
static struct iovec nowhere = { NULL, 5 }, too_much = { into, SIZE_MAX / 2 + 9 };
static struct iovec many[5000];
static struct msghdr to = { .msg_iov = iov, .msg_iovlen = 2 }, to_nowhere = { .msg_iov = &nowhere, .msg_iovlen = 1 },
                     too_many = { .msg_iov = many, .msg_iovlen = 5000 };
static struct sockaddr_in in = { .sin_family = AF_INET }, odd = { .sin_family = 0x7777 };
static struct sockaddr_storage from;
static socklen_t in_length = sizeof in, short_length = 1, from_length;
static siginfo_t info;

enum { SELF = 0, SOURCE = -1000, DESTINATION, PATTERN }; /* descriptors that stand for others */
enum {
    NO_SUBMIT = 1,   /* ioevent_submit takes it for something else */
    BAD_POINTER = 2,
    BAD = 4,         /* bad in itself: if the descriptor is bad, too, either may be told */
};

#define SA(a) ((struct sockaddr *)(void *)&(a))

/* What is called. ioo_fd is the descriptor in question, unless something else is said. */
static const struct row {
    const char *name;
    int flags;
    struct ioevent_op op;
} rows[] = {
#define ROW(kind, flags, ...) { #kind " " #__VA_ARGS__, flags, { .ioo_kind = IOEVENT_OP_##kind, __VA_ARGS__ } }
    ROW(READ, 0, .ioo_buf = into, .ioo_len = 8),
    ROW(READ, 0, .ioo_buf = into, .ioo_len = 1),
    ROW(READ, 0, .ioo_buf = into),
    ROW(READ, BAD_POINTER, .ioo_len = 8),
    ROW(WRITE, 0, .ioo_buf = text, .ioo_len = 8),
    ROW(WRITE, 0, .ioo_buf = text, .ioo_len = 1),
    ROW(WRITE, 0, .ioo_buf = text),
    ROW(WRITE, BAD_POINTER, .ioo_len = 8),
    ROW(READV, 0, .ioo_buf = iov, .ioo_len = 2),
    ROW(READV, 0, .ioo_buf = iov, .ioo_len = 0),
    ROW(READV, BAD, .ioo_buf = iov, .ioo_len = (size_t)-1),
    ROW(READV, BAD, .ioo_buf = many, .ioo_len = 5000),
    ROW(READV, BAD, .ioo_buf = &too_much, .ioo_len = 1),
    ROW(READV, BAD_POINTER, .ioo_len = 1),
    ROW(READV, BAD_POINTER, .ioo_buf = &nowhere, .ioo_len = 1),
    ROW(WRITEV, 0, .ioo_buf = iov, .ioo_len = 2),
    ROW(WRITEV, 0, .ioo_buf = iov, .ioo_len = 0),
    ROW(WRITEV, BAD, .ioo_buf = iov, .ioo_len = (size_t)-1),
    ROW(WRITEV, BAD, .ioo_buf = many, .ioo_len = 5000),
    ROW(WRITEV, BAD, .ioo_buf = &too_much, .ioo_len = 1),
    ROW(WRITEV, BAD_POINTER, .ioo_len = 1),
    ROW(WRITEV, BAD_POINTER, .ioo_buf = &nowhere, .ioo_len = 1),
    ROW(PREAD, 0, .ioo_buf = into, .ioo_len = 8),
    ROW(PREAD, 0, .ioo_buf = into, .ioo_len = 8, .ioo_offset = 1ll << 40),
    ROW(PREAD, NO_SUBMIT, .ioo_buf = into, .ioo_len = 8, .ioo_offset = -1),
    ROW(PREAD, BAD, .ioo_buf = into, .ioo_len = 8, .ioo_offset = -2),
    ROW(PREAD, BAD_POINTER, .ioo_len = 8),
    ROW(PWRITE, 0, .ioo_buf = text, .ioo_len = 8),
    ROW(PWRITE, NO_SUBMIT, .ioo_buf = text, .ioo_len = 8, .ioo_offset = -1),
    ROW(PWRITE, BAD, .ioo_buf = text, .ioo_len = 8, .ioo_offset = INT64_MIN),
    ROW(PWRITE, BAD_POINTER, .ioo_len = 8),
    ROW(PREADV, 0, .ioo_buf = iov, .ioo_len = 2),
    ROW(PREADV, BAD, .ioo_buf = iov, .ioo_len = (size_t)-1),
    ROW(PREADV, BAD, .ioo_buf = iov, .ioo_len = 2, .ioo_offset = -5),
    ROW(PREADV, BAD_POINTER, .ioo_len = 2),
    ROW(PWRITEV, 0, .ioo_buf = iov, .ioo_len = 2),
    ROW(PWRITEV, BAD, .ioo_buf = many, .ioo_len = 5000),
    ROW(PWRITEV, BAD, .ioo_buf = iov, .ioo_len = 2, .ioo_offset = -5),
    ROW(PWRITEV, BAD_POINTER, .ioo_len = 2),
    ROW(RECV, 0, .ioo_buf = into, .ioo_len = 8),
    ROW(RECV, 0, .ioo_buf = into, .ioo_len = 8, .ioo_arg = MSG_PEEK),
    ROW(RECV, 0, .ioo_buf = into, .ioo_len = 8, .ioo_arg = MSG_DONTWAIT | MSG_TRUNC),
    ROW(RECV, 0, .ioo_buf = into, .ioo_len = 8, .ioo_arg = MSG_OOB),
    ROW(RECV, 0, .ioo_buf = into, .ioo_len = 8, .ioo_arg = MSG_ERRQUEUE),
    ROW(RECV, BAD_POINTER, .ioo_len = 8),
    ROW(RECVFROM, 0, .ioo_buf = into, .ioo_len = 8),
    ROW(RECVFROM, 0, .ioo_buf = into, .ioo_len = 8, .ioo_addr = SA(from), .ioo_addrlen = &from_length),
    ROW(RECVMSG, 0, .ioo_buf = &to),
    ROW(RECVMSG, BAD, .ioo_buf = &too_many),
    ROW(RECVMSG, BAD_POINTER, .ioo_buf = &to_nowhere),
#ifdef __GLIBC__ /* musl's own function reads a msghdr before the kernel does, and so does the library there */
    ROW(RECVMSG, BAD_POINTER),
#endif
    ROW(SEND, 0, .ioo_buf = text, .ioo_len = 8),
    ROW(SEND, 0, .ioo_buf = text, .ioo_len = 8, .ioo_arg = MSG_DONTWAIT),
    ROW(SEND, 0, .ioo_buf = text, .ioo_len = 8, .ioo_arg = MSG_OOB),
    ROW(SEND, BAD_POINTER, .ioo_len = 8),
    ROW(SENDTO, 0, .ioo_buf = text, .ioo_len = 8),
    ROW(SENDTO, 0, .ioo_buf = text, .ioo_len = 8, .ioo_addr = SA(in), .ioo_addrlen = &short_length),
    ROW(SENDTO, 0, .ioo_buf = text, .ioo_len = 8, .ioo_addr = SA(odd), .ioo_addrlen = &in_length),
    ROW(SENDMSG, 0, .ioo_buf = &to),
    ROW(SENDMSG, BAD, .ioo_buf = &too_many),
    ROW(SENDMSG, BAD_POINTER, .ioo_buf = &to_nowhere),
#ifdef __GLIBC__ /* musl's own function reads a msghdr before the kernel does, and so does the library there */
    ROW(SENDMSG, BAD_POINTER),
#endif
    ROW(ACCEPT, 0, .ioo_addr = NULL),
    ROW(ACCEPT, 0, .ioo_addr = SA(from), .ioo_addrlen = &from_length),
    ROW(ACCEPT4, 0, .ioo_arg = SOCK_CLOEXEC),
#ifdef __GLIBC__ /* musl's accept4 does without flags that it does not know */
    ROW(ACCEPT4, BAD, .ioo_arg = 12345),
#endif
    ROW(CONNECT, 0, .ioo_addr = SA(in), .ioo_addrlen = &short_length),
    ROW(CONNECT, 0, .ioo_addr = SA(odd), .ioo_addrlen = &in_length),
    ROW(SENDFILE, 0, .ioo_fd2 = PATTERN, .ioo_len = 8),
    ROW(SENDFILE, 0, .ioo_fd2 = PATTERN, .ioo_len = 8, .ioo_offset = -1),
    ROW(SENDFILE, BAD, .ioo_fd2 = PATTERN, .ioo_len = 8, .ioo_offset = -7),
    ROW(SENDFILE, BAD, .ioo_fd2 = -1, .ioo_len = 8),
    ROW(SENDFILE, 0, .ioo_fd = DESTINATION, .ioo_fd2 = SELF, .ioo_len = 8),
    ROW(SENDFILE, 0, .ioo_fd = DESTINATION, .ioo_fd2 = SELF, .ioo_len = 8, .ioo_offset = -1),
    ROW(SENDFILE, BAD, .ioo_fd = -1, .ioo_fd2 = SELF, .ioo_len = 8),
    ROW(SPLICE, 0, .ioo_fd2 = SOURCE, .ioo_len = 8, .ioo_offset = -1, .ioo_offset2 = -1),
    ROW(SPLICE, 0, .ioo_fd2 = SOURCE, .ioo_len = 8, .ioo_offset = 3, .ioo_offset2 = -1),
    ROW(SPLICE, 0, .ioo_fd2 = SOURCE, .ioo_len = 8, .ioo_offset = -1, .ioo_offset2 = 3),
    ROW(SPLICE, BAD, .ioo_fd2 = SOURCE, .ioo_len = 8, .ioo_offset = -1, .ioo_offset2 = -1, .ioo_arg = 0xff),
    ROW(SPLICE, BAD, .ioo_fd2 = -1, .ioo_len = 8, .ioo_offset = -1, .ioo_offset2 = -1),
    ROW(SPLICE, 0, .ioo_fd2 = PATTERN, .ioo_len = 8, .ioo_offset = -1, .ioo_offset2 = -1),
    ROW(SPLICE, 0, .ioo_fd = DESTINATION, .ioo_fd2 = SELF, .ioo_len = 8, .ioo_offset = -1, .ioo_offset2 = -1),
    ROW(SPLICE, 0, .ioo_fd = DESTINATION, .ioo_fd2 = SELF, .ioo_len = 8, .ioo_offset = 1, .ioo_offset2 = -1),
    ROW(SPLICE, BAD, .ioo_fd = -1, .ioo_fd2 = SELF, .ioo_len = 8, .ioo_offset = -1, .ioo_offset2 = -1),
    ROW(FSYNC, 0, .ioo_len = 0),
    ROW(FDATASYNC, 0, .ioo_len = 0),
    ROW(SHUTDOWN, 0, .ioo_arg = SHUT_RD),
    ROW(SHUTDOWN, 0, .ioo_arg = SHUT_WR),
    ROW(SHUTDOWN, 0, .ioo_arg = SHUT_RDWR),
    ROW(SHUTDOWN, BAD, .ioo_arg = 99),
    ROW(SHUTDOWN, BAD, .ioo_arg = -1),
    ROW(WAITID, 0, .ioo_buf = &info, .ioo_arg = WEXITED | WNOHANG | WNOWAIT),
    ROW(WAITID, 0, .ioo_buf = &info, .ioo_arg = 0),
    ROW(WAITID, BAD, .ioo_buf = &info, .ioo_arg = -1),
};

/* The call of this row: ours or libc's. */
static long call(const struct ioevent_op *o, bool libcs)
{
    int fd = o->ioo_fd, n = (int)o->ioo_len, arg = o->ioo_arg;
    void *buf = o->ioo_buf;
    size_t len = o->ioo_len;
    socklen_t length = o->ioo_addrlen ? *o->ioo_addrlen : 0;
    static off_t offset, offset2; /* the library's until the event has been read */
    off_t *at = o->ioo_offset == -1 ? NULL : &offset, *at2 = o->ioo_offset2 == -1 ? NULL : &offset2;

    offset = o->ioo_offset;
    offset2 = o->ioo_offset2;

#define EITHER_OF(ours, theirs, arguments) (libcs ? (long)theirs arguments : (long)ours arguments)
    switch (o->ioo_kind) {
    case IOEVENT_OP_READ: return EITHER_OF(ioevent_read, read, (fd, buf, len));
    case IOEVENT_OP_WRITE: return EITHER_OF(ioevent_write, write, (fd, buf, len));
    case IOEVENT_OP_READV: return EITHER_OF(ioevent_readv, readv, (fd, buf, n));
    case IOEVENT_OP_WRITEV: return EITHER_OF(ioevent_writev, writev, (fd, buf, n));
    case IOEVENT_OP_PREAD: return EITHER_OF(ioevent_pread, pread, (fd, buf, len, offset));
    case IOEVENT_OP_PWRITE: return EITHER_OF(ioevent_pwrite, pwrite, (fd, buf, len, offset));
    case IOEVENT_OP_PREADV: return EITHER_OF(ioevent_preadv, preadv, (fd, buf, n, offset));
    case IOEVENT_OP_PWRITEV: return EITHER_OF(ioevent_pwritev, pwritev, (fd, buf, n, offset));
    case IOEVENT_OP_RECV: return EITHER_OF(ioevent_recv, recv, (fd, buf, len, arg));
    case IOEVENT_OP_RECVFROM:
        return EITHER_OF(ioevent_recvfrom, recvfrom, (fd, buf, len, arg, o->ioo_addr, o->ioo_addrlen));
    case IOEVENT_OP_RECVMSG: return EITHER_OF(ioevent_recvmsg, recvmsg, (fd, buf, arg));
    case IOEVENT_OP_SEND: return EITHER_OF(ioevent_send, send, (fd, buf, len, arg));
    case IOEVENT_OP_SENDTO: return EITHER_OF(ioevent_sendto, sendto, (fd, buf, len, arg, o->ioo_addr, length));
    case IOEVENT_OP_SENDMSG: return EITHER_OF(ioevent_sendmsg, sendmsg, (fd, buf, arg));
    case IOEVENT_OP_ACCEPT: return EITHER_OF(ioevent_accept, accept, (fd, o->ioo_addr, o->ioo_addrlen));
    case IOEVENT_OP_ACCEPT4: return EITHER_OF(ioevent_accept4, accept4, (fd, o->ioo_addr, o->ioo_addrlen, arg));
    case IOEVENT_OP_CONNECT: return EITHER_OF(ioevent_connect, connect, (fd, o->ioo_addr, length));
    case IOEVENT_OP_SENDFILE: return EITHER_OF(ioevent_sendfile, sendfile, (fd, o->ioo_fd2, at, len));
    case IOEVENT_OP_SPLICE: return EITHER_OF(ioevent_splice, splice, (o->ioo_fd2, at, fd, at2, len, (unsigned)arg));
    case IOEVENT_OP_FSYNC: return EITHER_OF(ioevent_fsync, fsync, (fd));
    case IOEVENT_OP_FDATASYNC: return EITHER_OF(ioevent_fdatasync, fdatasync, (fd));
    case IOEVENT_OP_SHUTDOWN: return EITHER_OF(ioevent_shutdown, shutdown, (fd, arg));
    case IOEVENT_OP_WAITID: return EITHER_OF(ioevent_waitid, waitid, (P_PIDFD, (id_t)fd, buf, arg));
    default: abort();
    }
}

/* The operation of a row, on this descriptor; the others it needs are made anew. */
static struct ioevent_op fill(const struct row *row, int fd)
{
    struct ioevent_op op = row->op;
    int x[2];

    for (int i = 0; i < 2; i++) {
        int *at = i ? &op.ioo_fd2 : &op.ioo_fd;

        if (*at == SELF) {
            *at = fd;
        } else if (*at == PATTERN) {
            OK(lseek(letters, 0, SEEK_SET));
            *at = letters;
        } else if (*at == SOURCE || *at == DESTINATION) {
            bool source = *at == SOURCE;

            OK(pipe2(x, O_CLOEXEC));
            if (source)
                OK(write(x[1], "abcdefgh", 8));
            *at = x[!source];
            keep[nkeep++] = x[0];
            keep[nkeep++] = x[1];
        }
    }
    memcpy(text, "\1\0\0\0\0\0\0\0", 8); /* an eventfd takes it, too */
    for (int i = 0; i < 25; i++)
        into[i] = i == 0;
    from_length = sizeof from;
    return op;
}

#endif
