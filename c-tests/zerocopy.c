/*
 * A send with MSG_ZEROCOPY has one notification number, as the blocking call has, however often the library has to wait
 * for room meanwhile; or it is refused with EOPNOTSUPP; or there are no notifications, and the buffer is free with the
 * event: rule 2.4. Never more numbers than sends: a program that counts its sends would take them for those of others.
 */
#include "test.h"
#include <linux/errqueue.h>
#include <linux/sockios.h>

enum { SEND, SENDMSG, SUBMIT_SEND, SUBMIT_SENDMSG, BLOCKING, WAYS };
enum { BIG = 3 << 20, SENDS = 16, NUMBERS = 4096 };

static int p;
static char data[BIG];

/* A TCP connection whose peer reads slowly, in a process of its own; it checks what comes until the end. */
static int slow_peer(pid_t *pid, size_t all)
{
    int fd[2], one = 1, little = 64 << 10;

    CHECK(tcp_pair(AF_INET, fd));
    OK(setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &little, sizeof little));
    if (child(pid)) {
        static char block[1 << 16];
        size_t done = 0;

        close(fd[1]);
        while (done < all) {
            ssize_t n = OK(read(fd[0], block, sizeof block));

            CHECK(n > 0);
            for (ssize_t i = 0; i < n; i++)
                CHECK((unsigned char)block[i] == pattern((done + (size_t)i) % BIG));
            done += (size_t)n;
            if (done % (1 << 20) < (1 << 16))
                breathe();
        }
        CHECK(sees_end(fd[0]));
        _exit(0);
    }
    OK(close(fd[0]));
    if (setsockopt(fd[1], SOL_SOCKET, SO_ZEROCOPY, &one, sizeof one) == -1)
        SKIP("no SO_ZEROCOPY here");
    return fd[1];
}

/* Begins a send of all of the data; false if it is refused. */
static bool begin(int way, int s, size_t n, int flags)
{
    static struct iovec iov[SENDS][2];
    static struct msghdr message[SENDS];
    static int k;
    struct ioevent_op op = { .ioo_fd = s, .ioo_user = USER(1), .ioo_arg = flags, .ioo_buf = data, .ioo_len = n };
    long r;

    k = (k + 1) % SENDS;
    iov[k][0] = (struct iovec){ data, n / 3 };
    iov[k][1] = (struct iovec){ data + n / 3, n - n / 3 };
    message[k] = (struct msghdr){ .msg_iov = iov[k], .msg_iovlen = 2 };
    switch (way) {
    case SEND:
        r = ioevent_send(s, data, n, flags);
        break;
    case SENDMSG:
        r = ioevent_sendmsg(s, &message[k], flags);
        break;
    case BLOCKING:
        GIVES(send(s, data, n, flags), n);
        return true;
    default:
        op.ioo_kind = way == SUBMIT_SEND ? IOEVENT_OP_SEND : IOEVENT_OP_SENDMSG;
        if (way == SUBMIT_SENDMSG)
            op.ioo_buf = &message[k];
        r = ioevent_submit(&op, 1);
        if (r == 1) {
            errno = EIOEVENTQUEUED;
            r = -1;
        }
    }
    if (r == -1 && errno == EOPNOTSUPP)
        return false;
    CHECK(r == -1 && errno == EIOEVENTQUEUED);
    return true;
}

/* Counts the notifications of each number; nothing that was sent is on its way any more. */
static int notified(int s, int seen[NUMBERS])
{
    int highest = -1, left = 1;
    struct pollfd ready = { .fd = s };

    memset(seen, 0, NUMBERS * sizeof *seen);
    UNTIL((OK(ioctl(s, SIOCOUTQ, &left)), left == 0));
    while (poll(&ready, 1, 100) == 1) {
        char control[256];
        struct msghdr m = { .msg_control = control, .msg_controllen = sizeof control };
        struct sock_extended_err x;

        if (recvmsg(s, &m, MSG_ERRQUEUE | MSG_DONTWAIT) == -1)
            break;
        CHECK(CMSG_FIRSTHDR(&m) != NULL);
        memcpy(&x, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof x);
        SAME(x.ee_origin, SO_EE_ORIGIN_ZEROCOPY);
        SAME(x.ee_errno, 0);
        for (uint32_t i = x.ee_info; i <= x.ee_data; i++) {
            CHECK(i < NUMBERS);
            seen[i]++;
            highest = (int)i > highest ? (int)i : highest;
        }
    }
    return highest;
}

static bool refused(int s)
{
    struct ioevent e = HARVEST(p);

    (void)s;
    CHECK(e.ioe_user == USER(1));
    if (e.ioe_result == -1 && e.ioe_errno == EOPNOTSUPP)
        return true;
    SAME(e.ioe_errno, 0);
    SAME(e.ioe_result, BIG);
    return false;
}

/* Some sends in a row, of which each second one may be plain. */
static void row(int way, int n, bool mixed, bool nonblock)
{
    int plain = 0, seen[NUMBERS], highest;
    pid_t pid;
    int s = slow_peer(&pid, (size_t)n * BIG);

    set_nonblock(s, nonblock && way != BLOCKING);
    if (way != BLOCKING)
        ATTACH(s, p, 1);
    for (int i = 0; i < n; i++) {
        bool is_plain = mixed && i % 2;

        plain += is_plain;
        if (!begin(way, s, BIG, is_plain ? 0 : MSG_ZEROCOPY))
            goto out;
    }
    if (way != BLOCKING)
        for (int i = 0; i < n; i++)
            if (refused(s))
                goto out;
    highest = notified(s, seen);
    if (highest == -1 && way != BLOCKING)
        goto out; /* plain copies */
    SAME(highest, n - plain - 1);
    for (int i = 0; i < n - plain; i++)
        SAME(seen[i], 1);
    GIVES(ioevent_close(s), 0);
    CHILD_PASSED(pid);
    return;
out:
    GIVES(ioevent_close(s), 0);
    kill(pid, SIGKILL);
    GIVES(waitpid(pid, NULL, 0), pid);
    while (ioevent_wait(p, &(struct ioevent){ 0 }, 1, &(struct timespec){ 0, 30000000 }) == 1)
        continue;
}

/* One that finds the socket full, one that is cancelled in the middle, and one that goes through after it. */
static void ended_early(void)
{
    int fd[2], one = 1, little = 64 << 10, numbers, seen[NUMBERS], highest;
    struct ioevent e;
    size_t before, got = 0, all;

    CHECK(tcp_pair(AF_INET, fd));
    OK(setsockopt(fd[1], SOL_SOCKET, SO_ZEROCOPY, &one, sizeof one));
    OK(setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &little, sizeof little));
    OK(setsockopt(fd[0], SOL_SOCKET, SO_RCVBUF, &little, sizeof little));
    ATTACH(fd[1], p, 1);
    before = fill_up(fd[1]);
    if (!begin(SEND, fd[1], BIG, MSG_ZEROCOPY))
        return;
    STAYS_QUIET(p);
    GIVES(ioevent_cancel(fd[1]), 1);
    e = HARVEST(p); /* nothing, and no number; or a part, and one */
    CHECK(e.ioe_result == -1 || (e.ioe_result > 0 && e.ioe_result < BIG));
    SAME(e.ioe_errno, ECANCELED);
    all = before + (e.ioe_result > 0 ? (size_t)e.ioe_result : 0);
    numbers = e.ioe_result > 0;

    UNTIL((got += drain(fd[0])) == all);
    CHECK(begin(SEND, fd[1], BIG, MSG_ZEROCOPY));
    while (got < all + (64 << 10))
        got += drain(fd[0]);
    STAYS_QUIET(p);
    GIVES(ioevent_cancel(fd[1]), 1);
    e = HARVEST(p);
    SAME(e.ioe_errno, ECANCELED);
    CHECK(e.ioe_result >= 64 << 10 && e.ioe_result < BIG);
    all += (size_t)e.ioe_result;
    numbers++;
    UNTIL((got += drain(fd[0])) == all);

    CHECK(begin(SEND, fd[1], 1000, MSG_ZEROCOPY));
    EXPECT(p, 1, 1000, 0);
    numbers++;
    UNTIL((got += drain(fd[0])) == all + 1000);
    highest = notified(fd[1], seen);
    if (highest != -1) {
        SAME(highest, numbers - 1);
        for (int i = 0; i < numbers; i++)
            SAME(seen[i], 1);
    }
    GIVES(ioevent_close(fd[1]), 0);
    OK(close(fd[0]));
}

int main(void)
{
    put_pattern(data, 0, BIG);
    p = OK(ioeventpipe(32));
    row(BLOCKING, 3, false, false); /* the measure */
    row(BLOCKING, 4, true, false);
    for (int way = 0; way < BLOCKING; way++)
        row(way, 1, false, way & 1);
    row(SEND, 6, false, false);
    row(SUBMIT_SENDMSG, 5, true, true);
    ended_early();
    STAYS_QUIET(p);
    return 0;
}
