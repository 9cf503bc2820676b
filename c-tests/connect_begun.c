/*
 * connect on a socket that is connecting already waits for the outcome of that, 0 or its error, as the blocking call
 * does; EINPROGRESS and EALREADY are never delivered: rule 2.4. It does not matter who began: connect(2) before or
 * after attaching, or an ioevent_connect that was ended by its time limit or a cancel: rules 4.6, 4.7.
 */
#include "test_connect.h"

enum { BEFORE, AFTER, LIMIT, CANCELLED, CANCELLED2, TWIN, BEGINS };
enum { ACCEPTED, REFUSED, ELSEWHERE, OUTCOMES };

static int p;
static const struct timespec some = { 0, 10000000 }, none = { 0, 0 };

static void plain_begin(int s, struct address *a)
{
    int flags = OK(fcntl(s, F_GETFL));

    set_nonblock(s, true);
    FAILS(connect(s, SOCKADDR(a), a->length), EINPROGRESS);
    OK(fcntl(s, F_SETFL, flags));
}

/* Has the socket begin to connect. */
static void begin(int how, int s, struct address *a, int flags)
{
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_CONNECT, .ioo_fd = s, .ioo_user = USER(7),
                             .ioo_addr = SOCKADDR(a), .ioo_addrlen = &a->length, .ioo_timeout = some };

    if (how == BEFORE || how == TWIN)
        plain_begin(s, a);
    if (how != TWIN) {
        ATTACH(s, p, 7);
        GIVES(ioevent_fcntl(s, F_SETIOEVENTFLAGS, flags), 0);
    }
    if (how == AFTER)
        plain_begin(s, a);
    if (how == LIMIT) {
        GIVES(ioevent_submit(&op, 1), 1);
        EXPECT(p, 7, -1, ETIMEDOUT);
    } else if (how == CANCELLED || how == CANCELLED2) {
        QUEUED(ioevent_connect(s, SOCKADDR(a), a->length));
        if (how == CANCELLED2)
            STAYS_QUIET(p); /* it has been tried; else perhaps it has not */
        GIVES(ioevent_cancel(s), 1);
        EXPECT(p, 7, -1, ECANCELED);
    }
}

static void run(int how, int outcome, bool submit, int flags, bool nonblock)
{
    struct address a, other;
    struct taker t;
    int filler, l = full_listener(&a, &filler), elsewhere = listener(AF_INET, 4, &other), s = tcp_socket();
    struct address *to = outcome == ELSEWHERE ? &other : &a;
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_CONNECT, .ioo_fd = s, .ioo_user = USER(1),
                             .ioo_addr = SOCKADDR(to), .ioo_addrlen = &to->length };
    char b[8];

    set_nonblock(s, nonblock && how != TWIN);
    begin(how, s, &a, flags);
    if (how == TWIN) { /* the measure for the others */
        if (outcome == REFUSED)
            OK(close(l));
        else
            start_taking(&t, l);
        if (outcome == REFUSED)
            FAILS(connect(s, SOCKADDR(to), to->length), ECONNREFUSED);
        else
            GIVES(connect(s, SOCKADDR(to), to->length), 0);
    } else {
        ATTACH(s, p, 1);
        if (submit)
            GIVES(ioevent_submit(&op, 1), 1);
        else
            QUEUED(ioevent_connect(s, SOCKADDR(to), to->length));
        ATTACH(s, p, 2);
        if (outcome != REFUSED)
            QUEUED(ioevent_write(s, "hello", 5)); /* waits for the connection, too */
        STAYS_QUIET(p);
        if (outcome == REFUSED) {
            OK(close(l));
            EXPECT(p, 1, -1, ECONNREFUSED);
        } else {
            start_taking(&t, l);
            EXPECT(p, 1, 0, 0);
            EXPECT(p, 2, 5, 0);
            UNTIL(GET(t.n) == 2);
            read_all(t.taken[1], b, 5);
            CHECK(memcmp(b, "hello", 5) == 0);
            QUEUED(ioevent_read(s, b, sizeof b));
            OK(write(t.taken[1], "yo", 2));
            EXPECT(p, 2, 2, 0);
        }
        STAYS_QUIET(p);
    }
    if (outcome != REFUSED) {
        stop_taking(&t);
        OK(close(l));
    }
    GIVES(ioevent_close(s), 0);
    OK(close(elsewhere));
    OK(close(filler));
}

/* What waits for a connection that another one began is ended by time and by cancels in its turn. */
static void ended(int how)
{
    struct address a;
    struct taker t;
    int filler, l = full_listener(&a, &filler), s = tcp_socket();

    begin(how, s, &a, 0);
    for (int i = 0; i < 3; i++) {
        GIVES(ioevent_fcntl(s, F_SETIOEVENTTIMEO, i == 1 ? &some : &none), 0);
        QUEUED(ioevent_connect(s, SOCKADDR(&a), a.length));
        if (i != 1) {
            QUIET(p);
            GIVES(ioevent_cancel2(s, IOEVENT_CANCEL_OUT, NULL), 1);
        }
        EXPECT(p, 7, -1, i == 1 ? ETIMEDOUT : ECANCELED);
    }
    GIVES(ioevent_fcntl(s, F_SETIOEVENTTIMEO, &none), 0);
    QUEUED(ioevent_connect(s, SOCKADDR(&a), a.length));
    QUEUED(ioevent_connect(s, SOCKADDR(&a), a.length)); /* the second finds it connected */
    start_taking(&t, l);
    EXPECT(p, 7, 0, 0);
    EXPECT(p, 7, -1, EISCONN);
    STAYS_QUIET(p);
    stop_taking(&t);
    GIVES(ioevent_close(s), 0);
    OK(close(l));
    OK(close(filler));
}

/* Connected, or refused, before the program asks: the outcome is told once. */
static void over_already(bool refused, int flags)
{
    struct address a;
    int l = refused ? closed_port(&a) : listener(AF_INET, 4, &a), s = tcp_socket(), twin = tcp_socket();
    struct pollfd ready = { .fd = s, .events = POLLOUT };
    long r, why = 0;
    struct ioevent e;

    plain_begin(s, &a);
    plain_begin(twin, &a);
    for (int i = 0; i < 2; i++) {
        ready.fd = i ? twin : s;
        GIVES(poll(&ready, 1, test_timeout() * 500), 1);
    }
    ATTACH(s, p, 1);
    GIVES(ioevent_fcntl(s, F_SETIOEVENTFLAGS, flags), 0);
    for (int i = 0; i < 2; i++) {
        long want = connect(twin, SOCKADDR(&a), a.length), want_why = want ? errno : 0;

        r = ioevent_connect(s, SOCKADDR(&a), a.length);
        why = r ? errno : 0;
        if (r == -1 && why == EIOEVENTQUEUED) {
            e = HARVEST(p);
            r = e.ioe_result;
            why = e.ioe_errno;
        }
        SAME(r, want);
        SAME(why, want_why);
    }
    STAYS_QUIET(p);
    GIVES(ioevent_close(s), 0);
    OK(close(twin));
    OK(close(l));
}

/* Each waits for a second or more, for that is when a request for a connection is sent again: so all at once. */
#define BESIDE(call)                                                            \
    do {                                                                        \
        CHECK(n < 32);                                                          \
        if (child(&pid[n++])) {                                                 \
            alarm((unsigned)test_timeout());                                    \
            p = OK(ioeventpipe(8));                                             \
            call;                                                               \
            _exit(0);                                                           \
        }                                                                       \
    } while (0)

int main(void)
{
    pid_t pid[32];
    int n = 0;

    for (int k = 0; k < 4; k++)
        BESIDE(over_already(k & 1, k & 2 ? IOEVENT_INLINE : 0));
    for (int outcome = 0; outcome < OUTCOMES; outcome++)
        BESIDE(run(TWIN, outcome, false, 0, false));
    for (int how = 0; how < TWIN; how++) {
        BESIDE(run(how, ACCEPTED, how & 1, how == AFTER || how == LIMIT ? IOEVENT_INLINE : 0, how == CANCELLED));
        BESIDE(run(how, REFUSED, !(how & 1), how & 1 ? IOEVENT_INLINE : 0, how == BEFORE));
    }
    BESIDE(run(AFTER, ELSEWHERE, false, 0, false));
    BESIDE(ended(BEFORE));
    BESIDE(ended(LIMIT));
    for (int i = 0; i < n; i++)
        CHILD_PASSED(pid[i]);
    return 0;
}
