/*
 * A reset that comes after a part was moved: the part, with no errno; then the reset, from the next operation of that
 * direction; then the end of file, or EPIPE. As the blocking calls, which are asked first: rule 2.4.
 */
#include "test_reset.h"

enum { RECV, RECVMSG, SUBMIT_RECV, SUBMIT_RECVMSG, WRITE, WRITEV, SEND, SENDMSG, SUBMIT_WRITE, FIRSTS };
enum { NEXT_READ, NEXT_RECV, NEXT_RECVMSG, NEXT_WRITE, NEXT_SEND, NEXT_SUBMIT_READ, NEXT_SUBMIT_WRITE, NEXTS };
enum { SIZE = 16 << 20, MANY = 100 };

static char big[SIZE];
static struct iovec few = { big, MANY }, halves[2] = { { big, SIZE / 2 }, { big + SIZE / 2, SIZE / 2 } };
static struct msghdr msg_in = { .msg_iov = &few, .msg_iovlen = 1 }, msg_out = { .msg_iov = halves, .msg_iovlen = 2 };

static ssize_t submit(int kind, int fd, void *buf, size_t len, int flags)
{
    struct ioevent_op op = { .ioo_kind = (unsigned short)kind, .ioo_fd = fd, .ioo_user = USER(1), .ioo_buf = buf,
                             .ioo_len = len, .ioo_arg = flags };

    GIVES(ioevent_submit(&op, 1), 1);
    errno = EIOEVENTQUEUED;
    return -1;
}

static ssize_t first(int which, int fd)
{
    switch (which) {
    case RECV: return ioevent_recv(fd, big, MANY, MSG_WAITALL);
    case RECVMSG: return ioevent_recvmsg(fd, &msg_in, MSG_WAITALL);
    case SUBMIT_RECV: return submit(IOEVENT_OP_RECV, fd, big, MANY, MSG_WAITALL);
    case SUBMIT_RECVMSG: return submit(IOEVENT_OP_RECVMSG, fd, &msg_in, 0, MSG_WAITALL);
    case WRITE: return ioevent_write(fd, big, SIZE);
    case WRITEV: return ioevent_writev(fd, halves, 2);
    case SEND: return ioevent_send(fd, big, SIZE, 0);
    case SENDMSG: return ioevent_sendmsg(fd, &msg_out, 0);
    default: return submit(IOEVENT_OP_WRITE, fd, big, SIZE, 0);
    }
}

static ssize_t next(int which, int fd)
{
    switch (which) {
    case NEXT_RECV: return ioevent_recv(fd, big, MANY, 0);
    case NEXT_RECVMSG: return ioevent_recvmsg(fd, &msg_in, 0);
    case NEXT_WRITE: return ioevent_write(fd, big, MANY);
    case NEXT_SEND: return ioevent_send(fd, big, MANY, 0);
    case NEXT_SUBMIT_READ: return submit(IOEVENT_OP_READ, fd, big, MANY, 0);
    case NEXT_SUBMIT_WRITE: return submit(IOEVENT_OP_WRITE, fd, big, MANY, 0);
    default: return ioevent_read(fd, big, MANY);
    }
}

static bool writes(int which)
{
    return which == NEXT_WRITE || which == NEXT_SEND || which == NEXT_SUBMIT_WRITE;
}

/* ---- the blocking twin ---- */

static int twin[2], twin_first;
static pid_t twin_tid;
static ssize_t twin_result;

static void *block(void *unused)
{
    TELL_TID(twin_tid);
    twin_result = twin_first < WRITE ? recv(twin[1], big, MANY, MSG_WAITALL) : write(twin[1], big, SIZE);
    return unused;
}

/* What a blocking read or write says after the first was cut off: its result, or -errno. */
static long blocking_next(bool wr)
{
    ssize_t r = wr ? write(twin[1], big, MANY) : read(twin[1], big, MANY);

    return r == -1 ? -errno : r;
}

static void check_twin(int which, bool wr)
{
    pthread_t t;

    reset_pair(twin);
    twin_first = which;
    SET(twin_tid, 0);
    if (which < WRITE)
        OK(write(twin[0], "abc", 3));
    t = start_thread(block, NULL);
    UNTIL_ASLEEP(twin_tid);
    for (int i = 0; i < 20; i++)
        breathe();
    OK(close(twin[0]));
    ZERO(pthread_join(t, NULL));
    CHECK(twin_result > 0 && twin_result < (which < WRITE ? MANY : SIZE));
    SAME(blocking_next(wr), -ECONNRESET);
    SAME(blocking_next(wr), wr ? -EPIPE : 0);
    OK(close(twin[1]));
}

/* ---- the library ---- */

static void run(int which, int then, bool is_inline, bool queued_before)
{
    int p = OK(ioeventpipe(8)), fd[2];
    struct ioevent e;

    reset_pair(fd);
    ATTACH(fd[1], p, 1);
    if (is_inline)
        GIVES(ioevent_fcntl(fd[1], F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    if (which < WRITE)
        OK(write(fd[0], "abc", 3));
    QUEUED(first(which, fd[1]));
    if (queued_before)
        QUEUED(next(then, fd[1]));
    STAYS_QUIET(p);
    OK(close(fd[0]));
    e = HARVEST(p);
    CHECK(e.ioe_user == USER(1));
    SAME(e.ioe_errno, 0);
    if (which < WRITE)
        SAME(e.ioe_result, 3);
    CHECK(e.ioe_result > 0 && e.ioe_result < SIZE);
    if (queued_before)
        EXPECT(p, 1, -1, ECONNRESET);
    else
        SAME(OUTCOME(p, 1, next(then, fd[1])), -ECONNRESET);
    SAME(OUTCOME(p, 1, next(then, fd[1])), writes(then) ? -EPIPE : 0);
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd[1]), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    check_twin(RECV, false);
    check_twin(RECV, true);
    check_twin(WRITE, false);
    check_twin(WRITE, true);
    for (int which = 0; which < FIRSTS; which++)
        for (int then = 0; then < NEXTS; then++) {
            run(which, then, (which + then) % 2, false);
            if (writes(then) == (which >= WRITE)) /* of one order, so it has to wait for the first */
                run(which, then, false, true);
        }
    return 0;
}
