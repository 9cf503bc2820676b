/*
 * What a vfork child calls leaves its parent's pipes, operations, timers, capacity and attachments alone: rule 5.2. (It
 * has the memory of its parent and its own descriptors; reads, writes and harvests are not tried.)
 */
#include "test.h"

/* A check of what is left fails: says after what. */
#define AFTER(a, b)                                                             \
    do {                                                                        \
        TEST_HERE(#a " is " #b);                                                \
        long long a_ = (long long)(a), b_ = (long long)(b);                     \
        if (a_ != b_)                                                           \
            test_fail(&test_place_, 0, "after child %d: %lld is not %lld", (int)how, a_, b_); \
    } while (0)

static int p, q, fd[2], other[2];

static void timer(int pipefd, uintptr_t user)
{
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = pipefd, .ioo_user = USER(user),
                             .ioo_timeout = { 3600, 0 } };

    GIVES(ioevent_submit(&op, 1), 1);
}

/* What the child does; its results do not matter, its parent's state does. */
static void in_child(int how)
{
    struct timespec some = { 0, 1000000 };
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_user = USER(99), .ioo_timeout = some };

    switch (how) {
    case 0: ioevent_cancel(p); break;
    case 1: ioevent_cancel2(p, IOEVENT_CANCEL_ALL, NULL); break;
    case 2: ioevent_cancel2(p, IOEVENT_CANCEL_IN | IOEVENT_CANCEL_USER, USER(5)); break;
    case 3: ioevent_cancel(fd[0]); break;
    case 4: ioevent_cancel2(fd[0], IOEVENT_CANCEL_IN, NULL); break;
    case 5: ioevent_cancel2(fd[0], IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(1)); break;
    case 6: ioevent_close(p); break;
    case 7: ioevent_close(fd[0]); break;
    case 8: ioevent_fcntl(p, F_SETIOEVENTSZ, 40); break;
    case 9: ioevent_fcntl(p, F_SETIOEVENTSZ, 9); break;
    case 10: ioevent_fcntl(other[0], F_SETIOEVENTPIPE, p, USER(7)); break;
    case 11: ioevent_fcntl(fd[0], F_SETIOEVENTPIPE, p, USER(7)); break;
    case 12: ioevent_fcntl(fd[0], F_SETIOEVENTPIPE, q, USER(7)); break;
    case 13: ioevent_fcntl(fd[0], F_SETIOEVENTPIPE, -1, (void *)NULL); break;
    case 14: ioevent_fcntl(fd[0], F_SETIOEVENTTIMEO, &some); break;
    case 15: ioevent_fcntl(fd[0], F_SETIOEVENTFLAGS, IOEVENT_INLINE); break;
    case 16: ioevent_dup2(other[0], fd[0]); break;
    case 17: ioevent_dup2(other[0], p); break;
    case 18: ioevent_dup3(other[0], q, O_CLOEXEC); break;
    case 19: ioevent_submit(&op, 1); break;
    case 20: ioevent_close(other[0]); ioevent_close(other[1]); break;
    case 21: /* as a shell's child does, before exec */
        ioevent_dup2(other[0], 0); ioevent_dup2(other[1], 1); ioevent_close(fd[0]); ioevent_close(fd[1]);
        ioevent_close(p); ioevent_close(q); break;
    case 22: ioevent_fcntl(p, F_SETFL, O_NONBLOCK); break;
    case 23: ioevent_fcntl(q, F_SETFD, FD_CLOEXEC); break;
    case 24: ioevent_shutdown(other[0], SHUT_RDWR); break;
    case 25: { /* numbers that are its own, where the parent has a pipe and an attachment */
        close(fd[0]); close(p);
        dup2(other[1], fd[0]); dup2(other[1], p);
        ioevent_cancel(fd[0]); ioevent_cancel(p);
        ioevent_fcntl(fd[0], F_SETIOEVENTPIPE, -1, (void *)NULL);
        ioevent_close(fd[0]); ioevent_close(p);
        break;
    }
    default: _exit(77);
    }
    _exit(0);
}

int main(void)
{
    char b[8];
    struct timespec t, little = { 0, 20000000 };
    struct ioevent e;
    int status, flags;
    volatile int how;

    for (how = 0;; how++) {
        volatile pid_t pid;

        p = OK(ioeventpipe(16));
        q = OK(ioeventpipe(16));
        unix_pair(fd);
        unix_pair(other);
        ATTACH(fd[0], p, 1);
        GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTTIMEO, &(struct timespec){ 1800, 0 }), 0);
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        timer(p, 5);
        timer(p, 6);
        timer(q, 5);
        QUIET(p);
        flags = OK(fcntl(p, F_GETFL));
        pid = vfork();
        if (pid == 0)
            in_child(how);
        OK(pid);
        GIVES(waitpid(pid, &status, 0), pid);
        if (status == 77 << 8)
            break;
        SAME(status, 0);
        if (how == 24) {
            OK(close(other[0]));
            OK(close(other[1]));
            unix_pair(other);
        }
        AFTER(ioevent_wait(p, &e, 1, &little), 0);
        AFTER(ioevent_wait(q, &e, 1, &no_wait), 0);
        if (how == 22) /* the flag is of the open file, which the two share */
            OK(fcntl(p, F_SETFL, flags));
        AFTER(fcntl(p, F_GETFL), flags);
        AFTER(ioevent_fcntl(p, F_GETIOEVENTSZ), 16);
        AFTER(ioevent_fcntl(p, F_GETIOEVENTCNT), 3);
        AFTER(ioevent_fcntl(q, F_GETIOEVENTCNT), 1);
        ATTACHED(fd[0], p, 1);
        ATTACHED(other[0], -1, 0);
        AFTER(ioevent_fcntl(fd[0], F_GETIOEVENTFLAGS), 0);
        GIVES(ioevent_fcntl(fd[0], F_GETIOEVENTTIMEO, &t), 0);
        AFTER(t.tv_sec, 1800);
        OK(write(fd[1], "abc", 3));
        EXPECT(p, 1, 3, 0);
        GIVES(ioevent_cancel2(p, IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(6)), 1);
        EXPECT(p, 6, -1, ECANCELED);
        GIVES(ioevent_cancel(p), 1);
        EXPECT(p, 5, -1, ECANCELED);
        GIVES(ioevent_cancel(q), 1);
        EXPECT(q, 5, -1, ECANCELED);
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        OK(write(fd[1], "de", 2));
        EXPECT(p, 1, 2, 0);
        OK(write(other[1], "x", 1));
        read_all(other[0], b, 1);
        GIVES(ioevent_close(fd[0]), 0);
        OK(close(fd[1]));
        OK(close(other[0]));
        OK(close(other[1]));
        GIVES(ioevent_close(p), 0);
        GIVES(ioevent_close(q), 0);
    }
    return 0;
}
