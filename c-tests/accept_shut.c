/*
 * accept on an AF_UNIX listener that is shut down: -1 with EINVAL, as the blocking call gives, for every accept
 * that is outstanding and every later one; after the connections that are in the queue: rule 2.4. (Without O_NONBLOCK
 * the kernel answers with a socket that was never made; no number may be taken for that.)
 */
#include "test.h"

enum { BEFORE, AFTER, OUTSTANDING, WHENS };
enum { ACCEPT, ACCEPT4, SUBMIT, SUBMIT4, INLINE, CALLS };

static int p;

static int unix_listener(int type, bool nonblock, struct address *a)
{
    int l = bound_socket(AF_UNIX, type, a);

    OK(listen(l, 8));
    set_nonblock(l, nonblock);
    return l;
}

static int accept_by(int call, int l, int user)
{
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_ACCEPT, .ioo_fd = l, .ioo_user = USER(user) };

    switch (call) {
    case ACCEPT4:
        return ioevent_accept4(l, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    case SUBMIT4:
        op.ioo_kind = IOEVENT_OP_ACCEPT4;
        op.ioo_arg = SOCK_CLOEXEC; /* fall through */
    case SUBMIT:
        GIVES(ioevent_submit(&op, 1), 1);
        errno = EIOEVENTQUEUED;
        return -1;
    default:
        return ioevent_accept(l, NULL, NULL);
    }
}

/* An accept fails with EINVAL, at once or in its event. */
static void refused(int call, int l)
{
    EITHER(accept_by(call, l, 1), p, 1, EINVAL);
}

/* What the blocking call says of such a listener. */
static void check_blocking(int type, int how)
{
    struct address a;
    int l = unix_listener(type, false, &a);

    OK(shutdown(l, how));
    FAILS(accept(l, NULL, NULL), EINVAL);
    OK(close(l));
}

static void run(int type, int how, int when, int call, bool nonblock)
{
    struct address a;
    int l = unix_listener(type, nonblock, &a);

    if (when == BEFORE)
        OK(shutdown(l, how));
    ATTACH(l, p, 1);
    if (call == INLINE)
        GIVES(ioevent_fcntl(l, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    if (when == OUTSTANDING) {
        QUEUED(accept_by(call, l, 1));
        QUEUED(accept_by(call, l, 1));
        if (call <= ACCEPT4)
            STAYS_QUIET(p);
        OK(shutdown(l, how));
        EXPECT(p, 1, -1, EINVAL);
        EXPECT(p, 1, -1, EINVAL);
    } else if (when == AFTER) {
        OK(shutdown(l, how));
    }
    for (int i = 0; i < 3; i++)
        refused(call, l);
    QUIET(p);
    CHECK(fcntl(0, F_GETFD) != -1);
    GIVES(ioevent_close(l), 0);
}

/* Connections that came before are accepted first, and one that cannot come any more is not waited for. */
static void backlog(int type, bool first_queued)
{
    struct address a;
    int l = unix_listener(type, false, &a), c[2], s[2], twin = unix_listener(type, false, &a);
    char b[2];

    /* as the blocking call does it */
    c[0] = OK(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    OK(connect(c[0], SOCKADDR(&a), a.length));
    OK(shutdown(twin, SHUT_RDWR));
    s[0] = OK(accept(twin, NULL, NULL));
    FAILS(accept(twin, NULL, NULL), EINVAL);
    OK(close(s[0]));
    OK(close(c[0]));
    OK(close(twin));

    a.length = sizeof a.storage;
    OK(getsockname(l, SOCKADDR(&a), &a.length));
    for (int i = 0; i < 2; i++) {
        c[i] = OK(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
        OK(connect(c[i], SOCKADDR(&a), a.length));
        OK(write(c[i], i ? "b" : "a", 1));
    }
    if (!first_queued)
        OK(shutdown(l, SHUT_RDWR));
    ATTACH(l, p, 1);
    for (int i = 0; i < 3; i++)
        QUEUED(ioevent_accept(l, NULL, NULL));
    if (first_queued)
        OK(shutdown(l, SHUT_RDWR));
    for (int i = 0; i < 2; i++) {
        struct ioevent e = HARVEST(p);

        SAME(e.ioe_errno, 0);
        CHECK(e.ioe_result > 2);
        s[i] = e.ioe_result;
        SAME(read(s[i], b, 2), 1);
        SAME(b[0], i ? 'b' : 'a');
    }
    EXPECT(p, 1, -1, EINVAL);
    STAYS_QUIET(p);
    for (int i = 0; i < 2; i++) {
        OK(close(s[i]));
        OK(close(c[i]));
    }
    GIVES(ioevent_close(l), 0);
}

int main(void)
{
    static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET }, hows[] = { SHUT_RD, SHUT_RDWR };

    OK(fcntl(0, F_GETFD)); /* or the test shows nothing */
    p = OK(ioeventpipe(8));
    for (int t = 0; t < 2; t++) {
        for (int h = 0; h < 2; h++) {
            check_blocking(types[t], hows[h]);
            for (int when = 0; when < WHENS; when++)
                for (int call = 0; call < CALLS; call++)
                    for (int nonblock = 0; nonblock < 2; nonblock++)
                        run(types[t], hows[h], when, call, nonblock);
        }
        backlog(types[t], false);
        backlog(types[t], true);
    }
    return 0;
}
