/*
 * In every kind of operation the fields that must be zero are looked at, as are the kind, the time and the descriptor:
 * rule 1.4, rule 2.9. Nothing is queued then, and no place is taken.
 */
#include "test.h"

static int p;

static void refused(const struct ioevent_op *op, int err)
{
    FAILS(ioevent_submit(op, 1), err);
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
}

int main(void)
{
    static const struct timespec bad[] = { { -1, 0 }, { 0, -1 }, { 0, 1000000000 }, { LONG_MIN, 0 }, { 1, LONG_MAX } };
    int fd[2], pipe_dup, was;
    char b[8] = "";

    p = OK(ioeventpipe(4));
    pipe_dup = OK(dup(p));
    unix_pair(fd);
    ATTACH(fd[0], p, 99);
    was = OK(dup2(fd[0], 700)); /* no number that others would get */
    OK(close(was));

    for (int kind = IOEVENT_OP_READ; kind <= IOEVENT_OP_TIMER; kind++) {
        const struct ioevent_op good = {
            .ioo_kind = (unsigned short)kind, .ioo_fd = kind == IOEVENT_OP_TIMER ? p : fd[0], .ioo_fd2 = fd[0],
            .ioo_buf = b, .ioo_len = 1,
        };
        struct ioevent_op op = good;

        for (int bit = 0; bit < 16; bit++) {
            op.ioo_flags = (unsigned short)(1 << bit);
            refused(&op, EINVAL);
        }
        for (int i = 0; i < 4; i++)
            for (size_t bit = 0; bit < 8 * sizeof(long); bit += 7) {
                op = good;
                op.ioo_zero[i] = 1ul << bit;
                refused(&op, EINVAL);
            }
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            op = good;
            op.ioo_timeout = bad[i];
            refused(&op, EINVAL);
        }
        op = good;
        op.ioo_fd = op.ioo_fd2 = fd[1]; /* neither attached nor a pipe */
        refused(&op, EINVAL);
        op.ioo_fd = op.ioo_fd2 = pipe_dup;
        refused(&op, EINVAL);
        op.ioo_fd = op.ioo_fd2 = kind == IOEVENT_OP_TIMER ? fd[0] : p;
        refused(&op, EINVAL);
        op.ioo_fd = op.ioo_fd2 = was;
        refused(&op, EBADF);
        op.ioo_fd = op.ioo_fd2 = -1;
        refused(&op, EBADF);
    }
    for (int kind = IOEVENT_OP_TIMER + 1; kind <= 0xffff; kind++)
        refused(&(struct ioevent_op){ .ioo_kind = (unsigned short)kind, .ioo_fd = fd[0] }, EINVAL);
    refused(&(struct ioevent_op){ .ioo_kind = 0, .ioo_fd = fd[0] }, EINVAL);
    STAYS_QUIET(p);
    SAME(drain(fd[1]), 0);
    return 0;
}
