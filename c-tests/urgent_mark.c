/*
 * A read of a TCP stream ends at the mark of urgent data though more is there. Whatever was done in between (the
 * urgent byte read in any way, attached late, elsewhere or anew), every byte is delivered, and no read waits beside
 * data: rule 2.2, rule 2.8, rule 4.2.
 */
#include "test.h"

enum { SAME_PIPE, OTHER_PIPE, AGAIN, LATE, A_DUP, HOWS };
enum { BY_RECV, BY_LIBRARY, BY_SUBMIT, BY_POLL_AND_RECV, NOT_READ, OOBS };
enum { READ, READV, RECV, RECVMSG, SUBMIT, CALLS };

static char b[100];

static ssize_t read_by(int call, int fd, int user)
{
    static struct iovec iov = { b, sizeof b };
    static struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_READ, .ioo_fd = fd, .ioo_user = USER(user), .ioo_buf = b,
                             .ioo_len = sizeof b };

    switch (call) {
    case READV: return ioevent_readv(fd, &iov, 1);
    case RECV: return ioevent_recv(fd, b, sizeof b, 0);
    case RECVMSG: return ioevent_recvmsg(fd, &msg, 0);
    case SUBMIT:
        GIVES(ioevent_submit(&op, 1), 1);
        errno = EIOEVENTQUEUED;
        return -1;
    default: return ioevent_read(fd, b, sizeof b);
    }
}

/* The result of a read that has data, as queued or at once. */
static long result(const struct test_place *place, int p, int user, long r)
{
    struct ioevent e;

    if (r != -1)
        return r;
    CHECK(errno == EIOEVENTQUEUED);
    e = test_harvest(place, p);
    if (e.ioe_user != USER(user) || e.ioe_errno != 0)
        test_fail(place, e.ioe_errno, "user %p result %d", e.ioe_user, e.ioe_result);
    return e.ioe_result;
}

#define RESULT(p, user, call) ({ TEST_HERE(#call); result(&test_place_, p, user, call); })

static void read_urgent(int oob, int fd, int p)
{
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_RECV, .ioo_fd = fd, .ioo_user = USER(1), .ioo_buf = b, .ioo_len = 1,
                             .ioo_arg = MSG_OOB };

    switch (oob) {
    case NOT_READ:
        return;
    case BY_POLL_AND_RECV:
        SAME(RESULT(p, 1, ioevent_poll(fd, POLLPRI)), POLLPRI); /* fall through */
    case BY_RECV:
        GIVES(recv(fd, b, 1, MSG_OOB), 1);
        break;
    case BY_LIBRARY:
        SAME(RESULT(p, 1, ioevent_recv(fd, b, 1, MSG_OOB)), 1);
        break;
    default:
        GIVES(ioevent_submit(&op, 1), 1);
        EXPECT(p, 1, 1, 0);
    }
    SAME(b[0], 'X');
}

static void run(int how, int oob, int call, bool is_inline, bool first_half_before)
{
    int p = OK(ioeventpipe(8)), q = OK(ioeventpipe(8)), at = p, s[2], fd, user = 1;
    struct pollfd urgent;
    char all[8] = "";
    size_t n = 0;

    CHECK(tcp_pair(AF_INET, s));
    fd = s[0];
    if (how != LATE)
        ATTACH(fd, p, 1);
    if (how != LATE && is_inline)
        GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    SAME(send(s[1], "abc", 3, 0), 3);
    SAME(send(s[1], "X", 1, MSG_OOB), 1);
    SAME(send(s[1], "def", 3, 0), 3);
    urgent = (struct pollfd){ .fd = fd, .events = POLLPRI };
    CHECK(poll(&urgent, 1, test_timeout() * 500) == 1);
    UNTIL(({ int there = 0; ioctl(fd, FIONREAD, &there); there >= 3; }));
    if (how == LATE) {
        if (oob != NOT_READ)
            GIVES(recv(fd, b, 1, MSG_OOB), 1);
        ATTACH(fd, p, 1);
        if (is_inline)
            GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    } else {
        if (first_half_before) {
            n = (size_t)RESULT(p, 1, read_by(call, fd, 1));
            SAME(n, 3); /* it ends at the mark */
            memcpy(all, b, n);
        }
        if (oob != NOT_READ)
            read_urgent(oob, fd, p);
    }
    switch (how) {
    case OTHER_PIPE: at = q; user = 2; ATTACH(fd, q, 2); break;
    case AGAIN:
        DETACH(fd);
        at = q;
        user = 2;
        ATTACH(fd, q, 2);
        if (is_inline)
            GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
        break;
    case A_DUP: fd = OK(dup(s[0])); at = q; user = 2; ATTACH(fd, q, 2); break;
    default: break;
    }
    QUIET(at);
    while (n < 6) {
        long r = RESULT(at, user, read_by(call, fd, user));

        CHECK(r > 0 && n + (size_t)r <= 6);
        memcpy(all + n, b, (size_t)r);
        n += (size_t)r;
    }
    CHECK(memcmp(all, "abcdef", 6) == 0);

    /* and now it has nothing, and takes what comes */
    QUEUED(read_by(SUBMIT, fd, user));
    if (call == READ)
        STAYS_QUIET(at);
    SAME(send(s[1], "g", 1, 0), 1);
    EXPECT(at, user, 1, 0);
    SAME(b[0], 'g');
    if (fd != s[0])
        GIVES(ioevent_close(fd), 0);
    GIVES(ioevent_close(s[0]), 0);
    OK(close(s[1]));
    GIVES(ioevent_close(p), 0);
    GIVES(ioevent_close(q), 0);
}

int main(void)
{
    for (int how = 0; how < HOWS; how++)
        for (int oob = 0; oob < OOBS; oob++)
            for (int call = 0; call < CALLS; call++) {
                run(how, oob, call, false, call % 2);
                run(how, oob, call, true, call % 2 == 0);
            }
    return 0;
}
