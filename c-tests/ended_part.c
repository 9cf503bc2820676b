/*
 * An operation that is ended early after it moved a part delivers the count and why it was ended (ECANCELED,
 * ETIMEDOUT); the peer has just that much; one that was finished is not called ended: rule 2.4, rule 4.3, rule 4.6,
 * rule 4.7.
 */
#include "test_file.h"

enum { WRITE, WRITEV, SEND, SENDMSG, SUBMIT_WRITE, SUBMIT_SENDMSG, SENDFILE, SUBMIT_SENDFILE, INLINE, OUTS };
enum { RECV, RECVMSG, SUBMIT_RECV, SUBMIT_RECVMSG, INLINE_RECV, INS };
enum { CANCEL, CANCEL_DIRECTION, CANCEL_USER, LIMIT, OWN_LIMIT, DETACHED, CLOSED, HOWS };
enum { SIZE = 16 << 20, MANY = 100, SOON = 60000000 };

static char out[SIZE], in[SIZE];
static struct iovec halves[2] = { { out, SIZE / 2 }, { out + SIZE / 2, SIZE / 2 } }, few = { in, MANY };
static struct msghdr msg_out = { .msg_iov = halves, .msg_iovlen = 2 }, msg_in = { .msg_iov = &few, .msg_iovlen = 1 };
static int file;

static ssize_t submit(unsigned short kind, int fd, void *buf, size_t len, int flags, bool limited)
{
    struct ioevent_op op = { .ioo_kind = kind, .ioo_fd = fd, .ioo_user = USER(1), .ioo_buf = buf, .ioo_len = len,
                             .ioo_arg = flags, .ioo_fd2 = file, .ioo_timeout.tv_nsec = limited ? SOON : 0 };

    GIVES(ioevent_submit(&op, 1), 1);
    errno = EIOEVENTQUEUED;
    return -1;
}

static bool from_file(int which)
{
    return which == SENDFILE || which == SUBMIT_SENDFILE;
}

static ssize_t queue_out(int which, int fd, bool limited)
{
    static off_t at;

    at = 0;
    switch (which) {
    case WRITEV: return ioevent_writev(fd, halves, 2);
    case SEND: return ioevent_send(fd, out, SIZE, MSG_NOSIGNAL);
    case SENDMSG: return ioevent_sendmsg(fd, &msg_out, 0);
    case SUBMIT_WRITE: return submit(IOEVENT_OP_WRITE, fd, out, SIZE, 0, limited);
    case SUBMIT_SENDMSG: return submit(IOEVENT_OP_SENDMSG, fd, &msg_out, 0, 0, limited);
    case SENDFILE: return ioevent_sendfile(fd, file, &at, SIZE);
    case SUBMIT_SENDFILE: return submit(IOEVENT_OP_SENDFILE, fd, NULL, SIZE, 0, limited);
    default: return ioevent_write(fd, out, SIZE);
    }
}

static ssize_t queue_in(int which, int fd, bool limited)
{
    switch (which) {
    case RECVMSG: return ioevent_recvmsg(fd, &msg_in, MSG_WAITALL);
    case SUBMIT_RECV: return submit(IOEVENT_OP_RECV, fd, in, MANY, MSG_WAITALL, limited);
    case SUBMIT_RECVMSG: return submit(IOEVENT_OP_RECVMSG, fd, &msg_in, 0, MSG_WAITALL, limited);
    default: return ioevent_recv(fd, in, MANY, MSG_WAITALL);
    }
}

/* Ends what is outstanding on the descriptor. A sendfile whose disk is at work ends after that, uncounted: rule 4.8. */
static void end(int how, int fd, int direction, bool is_sendfile)
{
    int n = 1;

    switch (how) {
    case CANCEL: n = OK(ioevent_cancel(fd)); break;
    case CANCEL_DIRECTION:
        GIVES(ioevent_cancel2(fd, IOEVENT_CANCEL_ALL & ~direction, NULL), 0);
        n = OK(ioevent_cancel2(fd, direction, NULL));
        break;
    case CANCEL_USER:
        GIVES(ioevent_cancel2(fd, IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(9)), 0);
        n = OK(ioevent_cancel2(fd, direction | IOEVENT_CANCEL_USER, USER(1)));
        break;
    case DETACHED: DETACH(fd); break;
    case CLOSED: GIVES(ioevent_close(fd), 0); break;
    default: break; /* the time does it */
    }
    CHECK(n == 1 || (n == 0 && is_sendfile));
}

static void prepare(int p, int fd, int how, bool is_inline)
{
    ATTACH(fd, p, 1);
    if (how == LIMIT)
        GIVES(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &(struct timespec){ 0, SOON }), 0);
    if (is_inline)
        GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
}

static void wait_a_little(int p, int how, bool harvest)
{
    if (how != LIMIT && how != OWN_LIMIT && harvest)
        STAYS_QUIET(p);
    else
        for (int ms = 0; ms < 30; ms++)
            breathe();
}

static void run_out(int which, int stream, int how, bool harvest)
{
    bool own = which == SUBMIT_WRITE || which == SUBMIT_SENDMSG || which == SUBMIT_SENDFILE;
    int p = OK(ioeventpipe(4)), fd[2];
    struct ioevent e;

    if ((how == OWN_LIMIT && !own) || !stream_pair(stream, fd))
        return;
    prepare(p, fd[1], how, which == INLINE);
    QUEUED(queue_out(which, fd[1], how == OWN_LIMIT));
    wait_a_little(p, how, harvest);
    CHECK(poll(&(struct pollfd){ .fd = fd[0], .events = POLLIN }, 1, test_timeout() * 500) == 1); /* a part is moved */
    end(how, fd[1], IOEVENT_CANCEL_OUT, from_file(which));
    e = HARVEST(p);
    CHECK(e.ioe_user == USER(1));
    CHECK(e.ioe_result > 0 && e.ioe_result < SIZE);
    SAME(e.ioe_errno, how == LIMIT || how == OWN_LIMIT ? ETIMEDOUT : ECANCELED);
    STAYS_QUIET(p);
    if (how != CLOSED)
        GIVES(ioevent_close(fd[1]), 0);
    read_all(fd[0], in, (size_t)e.ioe_result);
    CHECK(is_pattern(in, 0, (size_t)e.ioe_result));
    CHECK(sees_end(fd[0]));
    OK(close(fd[0]));
    GIVES(ioevent_close(p), 0);
}

static void run_in(int which, int stream, int how, bool harvest)
{
    bool own = which == SUBMIT_RECV || which == SUBMIT_RECVMSG;
    int p = OK(ioeventpipe(4)), fd[2], copy;
    struct ioevent e;

    if ((how == OWN_LIMIT && !own) || !stream_pair(stream, fd))
        return;
    copy = OK(dup(fd[0]));
    prepare(p, fd[0], how, which == INLINE_RECV);
    QUEUED(queue_in(which, fd[0], how == OWN_LIMIT));
    OK(write(fd[1], "abcd", 4));
    if (harvest || how == LIMIT || how == OWN_LIMIT)
        wait_a_little(p, how, harvest);
    UNTIL(({ int there = 0; ioctl(fd[0], FIONREAD, &there); there == 0; })); /* the library has taken the part */
    end(how, fd[0], IOEVENT_CANCEL_IN, false);
    e = HARVEST(p);
    CHECK(e.ioe_user == USER(1));
    SAME(e.ioe_result, 4);
    SAME(e.ioe_errno, how == LIMIT || how == OWN_LIMIT ? ETIMEDOUT : ECANCELED);
    CHECK(memcmp(in, "abcd", 4) == 0);
    STAYS_QUIET(p);
    SAME(drain(copy), 0);
    if (how != CLOSED)
        GIVES(ioevent_close(fd[0]), 0);
    OK(close(copy));
    OK(close(fd[1]));
    GIVES(ioevent_close(p), 0);
}

/* Whole ones, and those behind that moved nothing. */
static void others(int stream)
{
    int p = OK(ioeventpipe(4)), fd[2];
    struct ioevent e;

    if (!stream_pair(stream, fd))
        return;
    ATTACH(fd[1], p, 1);
    QUEUED(ioevent_write(fd[1], out, 10));
    GIVES(ioevent_cancel(fd[1]), 0); /* it is finished, though its event is unread */
    EXPECT(p, 1, 10, 0);
    QUEUED(ioevent_write(fd[1], out + 10, SIZE - 10));
    ATTACH(fd[1], p, 2);
    QUEUED(ioevent_write(fd[1], out, 10));
    STAYS_QUIET(p);
    GIVES(ioevent_cancel(fd[1]), 2);
    for (int i = 0; i < 2; i++) {
        e = HARVEST(p);
        SAME(e.ioe_errno, ECANCELED);
        CHECK(e.ioe_user == USER(1) ? e.ioe_result > 0 : e.ioe_result == -1);
    }
    GIVES(ioevent_close(fd[1]), 0);
    OK(close(fd[0]));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    put_pattern(out, 0, SIZE);
    file = make_file(FILE_MEMORY);
    fill_file(file, SIZE);
    for (int how = 0; how < HOWS; how++) {
        for (int which = 0; which < OUTS; which++)
            run_out(which, (which + how) % 2 == 0 ? STREAM_TCP4 : from_file(which) ? fillable() : STREAM_UNIX, how,
                    (which + how) / 2 % 2);
        run_out(WRITE, STREAM_PIPE, how, how % 2);
        for (int which = 0; which < INS; which++)
            run_in(which, (which + how) % 2 ? STREAM_UNIX : STREAM_TCP4, how, (which + how) / 2 % 2);
    }
    for (int which = 0; which < STREAMS; which++)
        others(which);
    return 0;
}
