/*
 * Each ioevent_prep_X fills an operation with its kind and its arguments, and makes all else 0, whatever was there
 * before: rule 7.2, rule 2.9.
 */
#include "test.h"

/* The function makes of a dirty operation just this one; the kind and what every operation has are given here. */
#define FILLS(name, kind, fd, arguments, ...)                                   \
    do {                                                                        \
        const struct ioevent_op wanted = { .ioo_kind = IOEVENT_OP_##kind, .ioo_fd = fd, .ioo_user = &user, \
                                           ##__VA_ARGS__ };                     \
        struct ioevent_op op;                                                   \
        memset(&op, 0xee, sizeof op);                                           \
        ioevent_prep_##name arguments;                                          \
        CHECK(memcmp(&op, &wanted, sizeof op) == 0);                            \
        kinds |= 1u << IOEVENT_OP_##kind;                                       \
    } while (0)

static unsigned kinds; /* those that were seen */
static char user, buffer[8];
static const char text[] = "text";

static void files(void)
{
    static const struct iovec iov[2];

    FILLS(read, READ, 3, (&op, 3, buffer, 8, &user), .ioo_buf = buffer, .ioo_len = 8);
    FILLS(write, WRITE, 4, (&op, 4, text, 5, &user), .ioo_buf = (void *)text, .ioo_len = 5);
    FILLS(readv, READV, 5, (&op, 5, iov, 2, &user), .ioo_buf = (void *)iov, .ioo_len = 2);
    FILLS(writev, WRITEV, 6, (&op, 6, iov, 1, &user), .ioo_buf = (void *)iov, .ioo_len = 1);
    FILLS(pread, PREAD, 7, (&op, 7, buffer, 6, 1LL << 40, &user), .ioo_buf = buffer, .ioo_len = 6,
          .ioo_offset = 1LL << 40);
    FILLS(pwrite, PWRITE, 8, (&op, 8, text, 4, -1, &user), .ioo_buf = (void *)text, .ioo_len = 4, .ioo_offset = -1);
    FILLS(preadv, PREADV, 9, (&op, 9, iov, 2, 11, &user), .ioo_buf = (void *)iov, .ioo_len = 2, .ioo_offset = 11);
    FILLS(pwritev, PWRITEV, 10, (&op, 10, iov, 1, 12, &user), .ioo_buf = (void *)iov, .ioo_len = 1, .ioo_offset = 12);
    FILLS(fsync, FSYNC, 11, (&op, 11, &user));
    FILLS(fdatasync, FDATASYNC, 12, (&op, 12, &user));
    FILLS(sendfile, SENDFILE, 13, (&op, 13, 14, 15, 16, &user), .ioo_fd2 = 14, .ioo_offset = 15, .ioo_len = 16);
    FILLS(splice, SPLICE, 19, (&op, 17, 18, 19, -1, 20, SPLICE_F_MORE, &user), .ioo_fd2 = 17, .ioo_offset = 18,
          .ioo_offset2 = -1, .ioo_len = 20, .ioo_arg = SPLICE_F_MORE);
}

static void sockets(void)
{
    static const struct sockaddr_in to;
    static const socklen_t to_length = sizeof to;
    static struct sockaddr_storage from;
    static socklen_t length = sizeof from;
    static struct msghdr in;
    static const struct msghdr out;
    struct sockaddr *const to_addr = (void *)&to, *const from_addr = (void *)&from;

    FILLS(recv, RECV, 3, (&op, 3, buffer, 8, MSG_PEEK, &user), .ioo_buf = buffer, .ioo_len = 8, .ioo_arg = MSG_PEEK);
    FILLS(recvfrom, RECVFROM, 4, (&op, 4, buffer, 7, MSG_TRUNC, from_addr, &length, &user), .ioo_buf = buffer,
          .ioo_len = 7, .ioo_arg = MSG_TRUNC, .ioo_addr = from_addr, .ioo_addrlen = &length);
    FILLS(recvmsg, RECVMSG, 5, (&op, 5, &in, MSG_WAITALL, &user), .ioo_buf = &in, .ioo_arg = MSG_WAITALL);
    FILLS(send, SEND, 6, (&op, 6, text, 5, MSG_MORE, &user), .ioo_buf = (void *)text, .ioo_len = 5,
          .ioo_arg = MSG_MORE);
    FILLS(sendto, SENDTO, 7, (&op, 7, text, 4, MSG_OOB, to_addr, &to_length, &user), .ioo_buf = (void *)text,
          .ioo_len = 4, .ioo_arg = MSG_OOB, .ioo_addr = to_addr, .ioo_addrlen = (void *)&to_length);
    FILLS(sendmsg, SENDMSG, 8, (&op, 8, &out, MSG_EOR, &user), .ioo_buf = (void *)&out, .ioo_arg = MSG_EOR);
    FILLS(accept, ACCEPT, 9, (&op, 9, from_addr, &length, &user), .ioo_addr = from_addr, .ioo_addrlen = &length);
    FILLS(accept4, ACCEPT4, 10, (&op, 10, NULL, NULL, SOCK_CLOEXEC, &user), .ioo_arg = SOCK_CLOEXEC);
    FILLS(connect, CONNECT, 11, (&op, 11, to_addr, &to_length, &user), .ioo_addr = to_addr,
          .ioo_addrlen = (void *)&to_length);
    FILLS(shutdown, SHUTDOWN, 12, (&op, 12, SHUT_WR, &user), .ioo_arg = SHUT_WR);
}

int main(void)
{
    static siginfo_t info;
    const struct timespec time = { 5, 6 };
    struct ioevent_op op, wanted = { .ioo_kind = 77, .ioo_fd = 3, .ioo_user = &user };

    files();
    sockets();
    FILLS(waitid, WAITID, 3, (&op, 3, &info, WEXITED, &user), .ioo_buf = &info, .ioo_arg = WEXITED);
    FILLS(poll, POLL, 4, (&op, 4, POLLIN | POLLPRI, &user), .ioo_arg = POLLIN | POLLPRI);
    FILLS(timer, TIMER, 5, (&op, 5, &time, &user), .ioo_timeout = { 5, 6 });
    SAME(kinds, (1u << (IOEVENT_OP_TIMER + 1)) - 2); /* from 1 up, all of them */

    memset(&op, 0xee, sizeof op);
    ioevent_prep(&op, 77, 3, &user);
    CHECK(memcmp(&op, &wanted, sizeof op) == 0);
    return 0;
}
