/*
 * On a terminal that was hung up (vhangup(2)) a read gives 0 and a write EIO, as the blocking calls do, for ever,
 * whether it is attached before or after, with operations before, outstanding or not; nothing reaches, and nothing is
 * taken from, those who have the same terminal after that: rule 2.4, rule 4.5.
 */
#include "test_tty.h"

enum { READ, READV, WRITE, WRITEV, SUBMIT_READ, SUBMIT_WRITE, CALLS, POLL };

/* What a call on the terminal gives, or its event. */
static struct ioevent outcome(int p, int fd, int call)
{
    static char b[32];
    static struct iovec in[2] = { { b, 3 }, { b + 3, 8 } }, out[2] = { { "SEC", 3 }, { "RET", 3 } };
    struct ioevent_op op = { .ioo_fd = fd, .ioo_user = USER(5), .ioo_buf = b, .ioo_len = 6 };
    struct ioevent e = { USER(5), -1, 0 };
    long r;

    switch (call) {
    case READ: r = ioevent_read(fd, b, sizeof b); break;
    case READV: r = ioevent_readv(fd, in, 2); break;
    case WRITE: r = ioevent_write(fd, "SECRET", 6); break;
    case WRITEV: r = ioevent_writev(fd, out, 2); break;
    case POLL: r = ioevent_poll(fd, POLLIN | POLLOUT); break;
    default:
        op.ioo_kind = call == SUBMIT_READ ? IOEVENT_OP_READ : IOEVENT_OP_WRITE;
        GIVES(ioevent_submit(&op, 1), 1);
        r = -1;
        errno = EIOEVENTQUEUED;
    }
    if (r == -1 && errno == EIOEVENTQUEUED)
        return HARVEST(p);
    e.ioe_result = (int)r;
    e.ioe_errno = r == -1 ? errno : 0;
    return e;
}

static void is_dead(int p, int fd)
{
    for (int call = 0; call < CALLS; call++) {
        struct ioevent e = outcome(p, fd, call);

        CHECK(e.ioe_user == USER(5));
        if (call == READ || call == READV || call == SUBMIT_READ) {
            SAME(e.ioe_result, 0);
            SAME(e.ioe_errno, 0);
        } else {
            SAME(e.ioe_result, -1);
            SAME(e.ioe_errno, EIO);
        }
    }
}

enum { ATTACH_BEFORE = 1, USED_BEFORE = 2, OUTSTANDING = 4, INLINE = 8, NONBLOCK = 16, CASES = 32 };

static void run(int how)
{
    struct terminal t = make_terminal();
    int p = OK(ioeventpipe(16)), fd = OK(open(t.name, O_RDWR | O_NOCTTY | O_CLOEXEC)), fresh;
    char b[32], c[32];

    make_raw(fd);
    set_nonblock(fd, how & NONBLOCK);
    if (how & ATTACH_BEFORE) {
        ATTACH(fd, p, 5);
        GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, how & INLINE ? IOEVENT_INLINE : 0), 0);
    }
    if ((how & ATTACH_BEFORE) && (how & USED_BEFORE)) {
        OK(write(t.master, "in\n", 3));
        while (!readable(fd))
            breathe();
        SAME(outcome(p, fd, READ).ioe_result, 3);
        SAME(outcome(p, fd, WRITE).ioe_result, 6);
        read_all(t.master, c, 6);
    }
    if ((how & ATTACH_BEFORE) && (how & OUTSTANDING)) {
        struct ioevent_op op = { .ioo_kind = IOEVENT_OP_POLL, .ioo_fd = fd, .ioo_user = USER(6), .ioo_arg = POLLPRI };

        QUEUED(ioevent_read(fd, b, sizeof b));
        GIVES(ioevent_submit(&op, 1), 1);
        STAYS_QUIET(p);
    }
    hang_up(&t);
    if ((how & ATTACH_BEFORE) && (how & OUTSTANDING))
        for (int i = 0; i < 2; i++) {
            struct ioevent e = HARVEST(p);

            if (e.ioe_user == USER(6)) {
                CHECK(e.ioe_result & POLLHUP);
            } else { /* woken before it is hung up, the blocking call may give EIO, too */
                CHECK(e.ioe_user == USER(5));
                CHECK(e.ioe_result == 0 || (e.ioe_result == -1 && e.ioe_errno == EIO));
            }
        }

    /* somebody else logs in */
    fresh = OK(open(t.name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    make_raw(fresh);
    OK(write(t.master, "typed", 5));
    UNTIL(readable(fresh));
    if (!(how & ATTACH_BEFORE)) {
        ATTACH(fd, p, 5);
        GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, how & INLINE ? IOEVENT_INLINE : 0), 0);
    }
    is_dead(p, fd);
    is_dead(p, fd);
    CHECK(outcome(p, fd, POLL).ioe_result & POLLHUP);

    /* what was typed for the new one is all there, and it sees nothing of the old one's */
    read_all(fresh, c, 5);
    CHECK(memcmp(c, "typed", 5) == 0);
    is_dead(p, fd);
    OK(write(fresh, "own", 3));
    UNTIL(readable(t.master));
    SAME(read(t.master, c, sizeof c), 3);
    CHECK(memcmp(c, "own", 3) == 0);
    CHECK(!readable(t.master));

    /* and the new one works, attached beside the old one */
    ATTACH(fresh, p, 7);
    QUEUED(ioevent_read(fresh, b, sizeof b));
    is_dead(p, fd);
    OK(write(t.master, "xyz", 3));
    EXPECT(p, 7, 3, 0);
    DETACH(fd);
    SAME(read(fd, c, 1), 0);
    FAILS(write(fd, "x", 1), EIO);
    ATTACH(fd, p, 5);
    is_dead(p, fd);
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd), 0);
    GIVES(ioevent_close(fresh), 0);
    GIVES(ioevent_close(p), 0);
    OK(close(t.master));
}

int main(void)
{
    signal(SIGHUP, SIG_IGN);
    for (int how = 0; how < CASES; how++)
        if (how & ATTACH_BEFORE || !(how & (USED_BEFORE | OUTSTANDING)))
            run(how);
    return 0;
}
