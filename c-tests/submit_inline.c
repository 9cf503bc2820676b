/*
 * What ioevent_submit takes always ends in an event, and takes a place, also where IOEVENT_INLINE would have the call's
 * result directly: rule 2.9, rule 2.8.
 */
#include "test.h"

#define OP(...) (struct ioevent_op){ __VA_ARGS__ }

int main(void)
{
    int p = OK(ioeventpipe(12)), q = OK(ioeventpipe(1)), fd[2], l, c, gone[2], n;
    char b[4][8];
    struct address a;
    struct ioevent post = { USER(99), 9, 0 };
    bool seen[9] = { false };

    signal(SIGPIPE, SIG_DFL);
    unix_pair(fd);
    unix_pair(gone);
    OK(close(gone[1]));
    l = listener(AF_UNIX, 4, &a);
    c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    ATTACH(fd[0], p, 98);
    ATTACH(l, p, 98);
    ATTACH(c, p, 98);
    ATTACH(gone[0], p, 98);
    for (int i = 0; i < 4; i++)
        GIVES(ioevent_fcntl((int[]){ fd[0], l, c, gone[0] }[i], F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    OK(write(fd[1], "abcdef", 6));
    {
        struct ioevent_op op[] = {
            OP(.ioo_kind = IOEVENT_OP_READ, .ioo_fd = fd[0], .ioo_user = USER(0), .ioo_buf = b[0], .ioo_len = 2),
            OP(.ioo_kind = IOEVENT_OP_RECV, .ioo_fd = fd[0], .ioo_user = USER(1), .ioo_buf = b[1], .ioo_len = 2),
            OP(.ioo_kind = IOEVENT_OP_WRITE, .ioo_fd = fd[0], .ioo_user = USER(2), .ioo_buf = "xy", .ioo_len = 2),
            OP(.ioo_kind = IOEVENT_OP_SEND, .ioo_fd = fd[0], .ioo_user = USER(3), .ioo_buf = "z", .ioo_len = 1),
            OP(.ioo_kind = IOEVENT_OP_CONNECT, .ioo_fd = c, .ioo_user = USER(4), .ioo_addr = SOCKADDR(&a),
               .ioo_addrlen = &a.length),
            OP(.ioo_kind = IOEVENT_OP_ACCEPT, .ioo_fd = l, .ioo_user = USER(5)),
            OP(.ioo_kind = IOEVENT_OP_POLL, .ioo_fd = fd[0], .ioo_user = USER(6), .ioo_arg = POLLOUT),
            OP(.ioo_kind = IOEVENT_OP_WRITE, .ioo_fd = gone[0], .ioo_user = USER(7), .ioo_buf = "x", .ioo_len = 1),
            OP(.ioo_kind = IOEVENT_OP_READ, .ioo_fd = gone[0], .ioo_user = USER(8), .ioo_buf = b[2], .ioo_len = 2),
        };
        const int result[] = { 2, 2, 2, 1, 0, 1, POLLOUT, -1, 0 };

        n = sizeof op / sizeof *op;
        GIVES(ioevent_submit(op, n), n);
        SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), n);
        for (int i = 0; i < n; i++) {
            struct ioevent e = HARVEST(p);
            uintptr_t user = (uintptr_t)e.ioe_user;

            CHECK(user < sizeof seen && !seen[user]);
            seen[user] = true;
            SAME(e.ioe_errno, user == 7 ? EPIPE : 0);
            if (user == 5)
                CHECK(e.ioe_result > 2);
            else
                SAME(e.ioe_result, result[user]);
        }
    }
    CHECK(memcmp(b[0], "ab", 2) == 0 && memcmp(b[1], "cd", 2) == 0);
    STAYS_QUIET(p);

    /* a full pipe: the call has its result, the struct is not taken */
    GIVES(ioevent_write(q, &post, sizeof post), sizeof post);
    ATTACH(fd[0], q, 98);
    FAILS(ioevent_submit(&OP(.ioo_kind = IOEVENT_OP_READ, .ioo_fd = fd[0], .ioo_buf = b[3], .ioo_len = 1), 1),
          EIOEVENTFULL);
    GIVES(ioevent_read(fd[0], b[3], 8), 2);
    CHECK(memcmp(b[3], "ef", 2) == 0);
    EXPECT(q, 99, 9, 0);
    STAYS_QUIET(q);
    return 0;
}
