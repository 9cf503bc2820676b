/*
 * On Linux 5.9 and 5.10 preadv2(2) with RWF_NOWAIT may give 0, or a part, far from the end of a file. That proves
 * nothing about the end: reads, readvs, preads and sendfiles of files deliver everything, and 0 at the end only: rule
 * 2.4. Such a kernel is played by a seccomp(2) listener; kernels that refuse the flag, or mostly say EAGAIN, are
 * played, too.
 */
#include "test_file.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

enum { ZERO, PART, TURNS, AGAIN, REFUSES, MODES };
enum { SIZE = 300000, PIECE = 70000 };

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif

static int mode, asked, listening = -1;

/* What the kernel that is played gives for a read that may not wait. */
static void decide(const struct seccomp_data *call, struct seccomp_notif_resp *answer)
{
    struct iovec iov = { 0 };
    struct stat st;
    int what = GET(mode), n = ADD(asked, 1);

    if (fstat((int)call->args[0], &st) == -1 || !S_ISREG(st.st_mode)) {
        if (what == REFUSES)
            answer->error = -EOPNOTSUPP;
        else
            answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        return;
    }
    if (what == TURNS)
        what = n % 4;
    if (what == AGAIN && n % 8 == 0) /* at last it is there */
        what = TURNS;
    if (what == REFUSES)
        answer->error = -EOPNOTSUPP;
    else if (what == AGAIN)
        answer->error = -EAGAIN;
    else if (what == TURNS)
        answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    else if (what == PART) { /* this thread does a little of it; it has the memory and the files of the caller */
        ssize_t r;

        if (call->args[2] > 0)
            iov = *(struct iovec *)(uintptr_t)call->args[1];
        if (iov.iov_len > 1000)
            iov.iov_len = 1000;
        r = (ssize_t)syscall(SYS_preadv2, call->args[0], &iov, 1, call->args[3], call->args[4], 0);
        answer->val = r;
        answer->error = r == -1 ? -errno : 0;
        if (r == -1)
            answer->val = 0;
    }
}

static void *plays(void *unused)
{
    UNTIL(GET(listening) != -1);
    for (;;) {
        struct seccomp_notif call = { 0 };
        struct seccomp_notif_resp answer = { 0 };

        if (ioctl(listening, SECCOMP_IOCTL_NOTIF_RECV, &call) == -1) {
            if (errno == EINTR || errno == ENOENT)
                continue;
            return unused;
        }
        answer.id = call.id;
        decide(&call.data, &answer);
        (void)ioctl(listening, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}

/* From here on this thread and those that it makes ask; the one that plays does not. */
static void play(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_preadv2, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 offsetof(struct seccomp_data, args[5]) + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0)),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, RWF_NOWAIT, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof code / sizeof *code, code };
    int fd;

    ZERO(pthread_detach(start_thread(plays, NULL)));
    OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    if (fd == -1)
        SKIP("no seccomp listener here");
    SET(listening, fd);
}

static int p;
static char *buffer;

/* What a call gives, or its event. */
static long result(long r)
{
    struct ioevent e;

    if (r != -1 || errno != EIOEVENTQUEUED)
        return r == -1 ? -errno : r;
    e = HARVEST(p);
    CHECK(e.ioe_user == USER(1));
    return e.ioe_result == -1 ? -e.ioe_errno : e.ioe_result;
}

static long at_most(off_t from, size_t n)
{
    return from >= SIZE ? 0 : from + (off_t)n > SIZE ? SIZE - from : (long)n;
}

enum { READ, READV, PREAD, PREADV, SUBMIT, CALLS };

static long call(int which, int file, off_t at, size_t n)
{
    static struct iovec iov[2];
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_READ, .ioo_fd = file, .ioo_user = USER(1), .ioo_buf = buffer,
                             .ioo_len = n };

    iov[0] = (struct iovec){ buffer, n / 3 };
    iov[1] = (struct iovec){ buffer + n / 3, n - n / 3 };
    switch (which) {
    case READ: return result(ioevent_read(file, buffer, n));
    case READV: return result(ioevent_readv(file, iov, 2));
    case PREAD: return result(ioevent_pread(file, buffer, n, at));
    case PREADV: return result(ioevent_preadv(file, iov, 2, at));
    default:
        GIVES(ioevent_submit(&op, 1), 1);
        errno = EIOEVENTQUEUED;
        return result(-1);
    }
}

static void reads(int file)
{
    for (int which = 0; which < CALLS; which++) {
        OK(lseek(file, 0, SEEK_SET));
        for (off_t at = 0; at < SIZE + 2 * PIECE; at += PIECE) {
            long want = at_most(at, PIECE);

            SAME(call(which, file, at, PIECE), want);
            CHECK(is_pattern(buffer, (size_t)at, (size_t)want));
            if (which != PREAD && which != PREADV)
                SAME(position(file), at + want < SIZE ? at + want : SIZE);
        }
        OK(lseek(file, SIZE - 10, SEEK_SET));
        SAME(call(which, file, SIZE - 10, 10), 10);
        CHECK(is_pattern(buffer, SIZE - 10, 10));
        SAME(call(which, file, SIZE, 10), 0);
    }

    /* several in a row */
    OK(lseek(file, 0, SEEK_SET));
    GIVES(ioevent_fcntl(file, F_SETIOEVENTFLAGS, 0), 0);
    for (int i = 0; i < 6; i++)
        QUEUED(ioevent_read(file, buffer + i * PIECE, PIECE));
    for (int i = 0; i < 6; i++)
        SAME(result((errno = EIOEVENTQUEUED, -1)), at_most((off_t)i * PIECE, PIECE));
    CHECK(is_pattern(buffer, 0, SIZE));
}

/* sendfile and splice of the whole file, to a socket and to a pipe, and in order behind each other. */
static void transfers(int file, bool from_start)
{
    int s[2], to[2];
    off_t offset = from_start ? 0 : 1000;
    size_t got, sent = 0;

    CHECK(tcp_pair(AF_INET, s));
    OK(pipe2(to, O_CLOEXEC));
    ATTACH(s[1], p, 1);
    OK(lseek(file, offset, SEEK_SET));
    memset(buffer, 0, SIZE);
    for (got = 1; got > 0; sent += got) { /* as much as fits the socket at any rate */
        long r = result(ioevent_sendfile(s[1], file, from_start ? NULL : &offset, 20000));

        CHECK(r >= 0);
        got = (size_t)r;
        read_all(s[0], buffer + sent, got);
    }
    SAME(sent, SIZE - (from_start ? 0 : 1000));
    CHECK(is_pattern(buffer, from_start ? 0 : 1000, sent));
    OK(lseek(file, SIZE, SEEK_SET));
    SAME(result(ioevent_sendfile(s[1], file, NULL, 100)), 0);
    OK(lseek(file, 0, SEEK_SET));
    ATTACH(to[1], p, 1);
    for (sent = 0; sent < SIZE; sent += got) {
        long r = result(ioevent_splice(file, NULL, to[1], NULL, 32768, 0));

        CHECK(r > 0);
        got = (size_t)r;
        read_all(to[0], buffer, got);
        CHECK(is_pattern(buffer, sent, got));
    }
    SAME(result(ioevent_splice(file, NULL, to[1], NULL, 32768, 0)), 0);
    GIVES(ioevent_close(s[1]), 0);
    GIVES(ioevent_close(to[1]), 0);
    OK(close(s[0]));
    OK(close(to[0]));
}

/* What is no file works as ever. */
static void others(void)
{
    int fd[2];
    char b[8];

    OK(pipe2(fd, O_CLOEXEC));
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    QUIET(p);
    OK(write(fd[1], "abc", 3));
    EXPECT(p, 1, 3, 0);
    OK(write(fd[1], "de", 2));
    SAME(result(ioevent_read(fd[0], b, sizeof b)), 2);
    OK(close(fd[1]));
    SAME(result(ioevent_read(fd[0], b, sizeof b)), 0);
    GIVES(ioevent_close(fd[0]), 0);
}

int main(void)
{
    if (on_valgrind())
        SKIP("valgrind has no seccomp listeners");
    buffer = room(8 * PIECE);
    play();
    p = OK(ioeventpipe(16));
    for (int which = 0; which < FILES; which++) {
        int file = make_file(which);

        fill_file(file, SIZE);
        ATTACH(file, p, 1);
        for (int m = 0; m < MODES; m++)
            for (int flags = 0; flags < 2; flags++) {
                int spare = reopen(file, O_RDONLY);

                SET(mode, m);
                GIVES(ioevent_fcntl(file, F_SETIOEVENTFLAGS, flags ? IOEVENT_INLINE : 0), 0);
                if (flags)
                    uncache(file);
                reads(file);
                transfers(spare, m & 1);
                others();
                OK(close(spare));
            }
        GIVES(ioevent_close(file), 0);
    }
    CHECK(GET(asked) > 0);
    return 0;
}
