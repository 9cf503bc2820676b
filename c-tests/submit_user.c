/*
 * Each operation of ioevent_submit has a user pointer of its own, so that a read and a write outstanding on one
 * descriptor can be told apart: rule 2.9. Several of a direction keep their order: rule 2.5.
 */
#include "test.h"

enum { SIZE = 4 << 20 };

static char out[SIZE], in[SIZE], b[4][8];

/* Buffers that do not grow, so that a large write never fits. */
static void small_buffers(const int *fd)
{
    int n = 100000;

    for (int i = 0; i < 2; i++) {
        setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &n, sizeof n);
        setsockopt(fd[i], SOL_SOCKET, SO_RCVBUF, &n, sizeof n);
    }
}

static struct ioevent_op operation(int kind, int fd, uintptr_t user, void *buf, size_t len)
{
    return (struct ioevent_op){ .ioo_kind = (unsigned short)kind, .ioo_fd = fd, .ioo_user = USER(user),
                                .ioo_buf = buf, .ioo_len = len };
}

int main(void)
{
    int fd[2], p = OK(ioeventpipe(16));

    for (int which = STREAM_UNIX; which <= STREAM_TCP6; which++) {
        if (!stream_pair(which, fd))
            continue;
        small_buffers(fd);
        ATTACH(fd[0], p, 99);
        for (int round = 0; round < 2; round++) {
            struct ioevent_op op[] = {
                operation(IOEVENT_OP_READ, fd[0], 1, b[0], 1),
                operation(IOEVENT_OP_WRITE, fd[0], 2, out, SIZE),
                operation(IOEVENT_OP_READ, fd[0], 3, b[1], 1),
                operation(IOEVENT_OP_WRITE, fd[0], 4, out, 1),
                operation(IOEVENT_OP_READ, fd[0], 0, b[2], 1),
                operation(IOEVENT_OP_READ, fd[0], UINTPTR_MAX, b[3], 1),
            };

            GIVES(ioevent_submit(op, 6), 6);
            STAYS_QUIET(p);
            QUEUED(ioevent_poll(fd[0], POLLPRI)); /* a call has the descriptor's */
            OK(write(fd[1], "wxyz", 4));
            EXPECT(p, 1, 1, 0);
            EXPECT(p, 3, 1, 0);
            EXPECT(p, 0, 1, 0);
            EXPECT(p, UINTPTR_MAX, 1, 0);
            CHECK(b[0][0] == 'w' && b[1][0] == 'x' && b[2][0] == 'y' && b[3][0] == 'z');
            QUIET(p);
            if (round == 0) {
                read_all(fd[1], in, SIZE);
                read_all(fd[1], in, 1);
                EXPECT(p, 2, SIZE, 0);
                EXPECT(p, 4, 1, 0);
            } else { /* when they are ended, too */
                read_all(fd[1], in, 1);
                GIVES(ioevent_cancel2(fd[0], IOEVENT_CANCEL_OUT | IOEVENT_CANCEL_USER, USER(2)), 1);
                CHECK(HARVEST(p).ioe_user == USER(2));
                GIVES(ioevent_cancel2(fd[0], IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(2)), 0);
                drain(fd[1]);
                EXPECT(p, 4, 1, 0);
            }
            GIVES(ioevent_cancel(fd[0]), 1);
            EXPECT(p, 99, -1, ECANCELED);
            drain(fd[1]);
        }
        STAYS_QUIET(p);
        GIVES(ioevent_close(fd[0]), 0);
        OK(close(fd[1]));
    }
    return 0;
}
