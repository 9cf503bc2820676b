/* ioevent_cancel2 with IOEVENT_CANCEL_USER goes by the user pointers of ioevent_submit: rule 4.7, rule 2.9. */
#include "test.h"

static int p, fd[2];
static char in[4][8], out[4 << 20];

static struct ioevent_op operation(int kind, uintptr_t user, void *buf, size_t len)
{
    return (struct ioevent_op){ .ioo_kind = (unsigned short)kind, .ioo_fd = fd[0], .ioo_user = USER(user),
                                .ioo_buf = buf, .ioo_len = len, .ioo_arg = kind == IOEVENT_OP_POLL ? POLLPRI : 0 };
}

static void begin(void)
{
    struct ioevent_op op[8];

    unix_pair(fd);
    ATTACH(fd[0], p, 99);
    fill_up(fd[0]);
    op[0] = operation(IOEVENT_OP_READ, 1, in[0], 8);
    op[1] = operation(IOEVENT_OP_RECV, 2, in[1], 8);
    op[2] = operation(IOEVENT_OP_READ, 1, in[2], 8);
    op[3] = operation(IOEVENT_OP_WRITE, 1, out, sizeof out);
    op[4] = operation(IOEVENT_OP_SEND, 3, out, sizeof out);
    op[5] = operation(IOEVENT_OP_POLL, 2, NULL, 0);
    op[6] = operation(IOEVENT_OP_POLL, 0, NULL, 0);
    op[7] = operation(IOEVENT_OP_READ, UINTPTR_MAX, in[3], 8);
    GIVES(ioevent_submit(op, 8), 8);
    QUEUED(ioevent_read(fd[0], in[3], 8)); /* has the descriptor's */
    QUIET(p);
}

/* This call ends so many, all with this pointer. */
static void ends(int what, uintptr_t user, int n)
{
    GIVES(ioevent_cancel2(fd[0], what | IOEVENT_CANCEL_USER, USER(user)), n);
    for (int i = 0; i < n; i++)
        EXPECT(p, user, -1, ECANCELED);
    QUIET(p);
    GIVES(ioevent_cancel2(fd[0], what | IOEVENT_CANCEL_USER, USER(user)), 0);
}

/* Ends the rest, of which there are so many. */
static void end(int n)
{
    struct ioevent e[10];

    GIVES(ioevent_cancel(fd[0]), n);
    GIVES(ioevent_wait(p, e, 10, &no_wait), n);
    for (int i = 0; i < n; i++)
        SAME(e[i].ioe_errno, ECANCELED);
    QUIET(p);
    GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
}

int main(void)
{
    p = OK(ioeventpipe(10));

    begin();
    ends(IOEVENT_CANCEL_IN, 1, 2);
    ends(IOEVENT_CANCEL_OUT, 1, 1);
    end(6);

    begin();
    ends(IOEVENT_CANCEL_ALL, 1, 3);
    ends(IOEVENT_CANCEL_ALL, 2, 2);
    ends(IOEVENT_CANCEL_ALL, 3, 1);
    ends(IOEVENT_CANCEL_ALL, 4, 0);
    ends(IOEVENT_CANCEL_ALL, 0, 1);
    ends(IOEVENT_CANCEL_ALL, UINTPTR_MAX, 1);
    ends(IOEVENT_CANCEL_ALL, 99, 1);
    end(0);

    begin();
    ends(IOEVENT_CANCEL_POLL, 1, 0);
    ends(IOEVENT_CANCEL_POLL, 2, 1);
    ends(IOEVENT_CANCEL_POLL | IOEVENT_CANCEL_OUT, 2, 0);
    ends(IOEVENT_CANCEL_POLL | IOEVENT_CANCEL_IN, 2, 1);
    ends(IOEVENT_CANCEL_OUT | IOEVENT_CANCEL_IN, 0, 0);
    /* who is left goes on, in order */
    ends(IOEVENT_CANCEL_IN, 1, 2);
    OK(write(fd[1], "abc", 3));
    EXPECT(p, UINTPTR_MAX, 3, 0);
    CHECK(memcmp(in[3], "abc", 3) == 0);
    OK(write(fd[1], "defg", 4));
    EXPECT(p, 99, 4, 0);
    CHECK(memcmp(in[3], "defg", 4) == 0);
    end(3);
    return 0;
}
