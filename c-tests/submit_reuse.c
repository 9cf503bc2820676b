/*
 * The structs given to ioevent_submit can be used again when it returns, or be freed, while the operations are
 * outstanding: rule 2.3, rule 2.9. What they point to stays the library's.
 */
#include "test.h"

enum { N = 8 };

int main(void)
{
    int fd[N][2], p = OK(ioeventpipe(3 * N));
    char b[N][8] = { "" }, c[N][8] = { "" };
    struct iovec iov[N];
    struct ioevent_op *op = malloc(3 * N * sizeof *op);
    bool seen[3 * N] = { false };

    for (int i = 0; i < N; i++) {
        unix_pair(fd[i]);
        ATTACH(fd[i][0], p, 99);
        iov[i] = (struct iovec){ c[i], 4 };
        op[i] = (struct ioevent_op){ .ioo_kind = IOEVENT_OP_READ, .ioo_fd = fd[i][0], .ioo_user = USER(i),
                                     .ioo_buf = b[i], .ioo_len = 4 };
        op[N + i] = (struct ioevent_op){ .ioo_kind = IOEVENT_OP_READV, .ioo_fd = fd[i][0], .ioo_user = USER(N + i),
                                         .ioo_buf = &iov[i], .ioo_len = 1 };
        op[2 * N + i] = (struct ioevent_op){ .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_user = USER(2 * N + i),
                                             .ioo_timeout = { 0, 20000000 } };
    }
    GIVES(ioevent_submit(op, 3 * N), 3 * N);
    memset(op, 0xff, 3 * N * sizeof *op);
    free(op);
    for (int i = 0; i < N; i++)
        OK(write(fd[i][1], "01234567", 8));
    for (int i = 0; i < 3 * N; i++) {
        struct ioevent e = HARVEST(p);
        uintptr_t user = (uintptr_t)e.ioe_user;

        CHECK(user < 3 * N && !seen[user]);
        seen[user] = true;
        SAME(e.ioe_errno, 0);
        SAME(e.ioe_result, user < 2 * N ? 4 : 0);
    }
    for (int i = 0; i < N; i++)
        CHECK(memcmp(b[i], "0123", 4) == 0 && memcmp(c[i], "4567", 4) == 0);

    /* one struct, over and over, all outstanding at once */
    {
        struct ioevent_op one = { .ioo_kind = IOEVENT_OP_READ, .ioo_fd = fd[0][0], .ioo_len = 1 };

        for (int i = 0; i < N; i++) {
            one.ioo_user = USER(i);
            one.ioo_buf = b[i];
            GIVES(ioevent_submit(&one, 1), 1);
        }
        memset(&one, 0xff, sizeof one);
        OK(write(fd[0][1], "abcdefgh", 8));
        for (int i = 0; i < N; i++) {
            EXPECT(p, i, 1, 0);
            SAME(b[i][0], 'a' + i);
        }
    }
    STAYS_QUIET(p);
    return 0;
}
