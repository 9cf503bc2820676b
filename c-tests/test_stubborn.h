/*
 * A number whose descriptor says "ready" and answers EAGAIN for as long as a test wants, whatever it is, as device
 * files, FUSE and drivers with wrong poll methods do: a filter of system calls asks a thread of the test what to
 * answer. Only calls on that number are touched.
 */
#ifndef TEST_STUBBORN_H
#define TEST_STUBBORN_H

#include "test_spin.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>

enum { STUBBORN = 600 };

static int stubborn_listener = -1;
static int stubborn_off;    /* the calls are let through */
static int stubborn_asked;  /* how often it was tried */

static inline void *stubborn_serve(void *unused)
{
    struct seccomp_notif ask;
    struct seccomp_notif_resp answer;

    UNTIL(GET(stubborn_listener) != -1);
    for (;;) {
        memset(&ask, 0, sizeof ask);
        if (ioctl(GET(stubborn_listener), SECCOMP_IOCTL_NOTIF_RECV, &ask) == -1)
            continue;
        memset(&answer, 0, sizeof answer);
        answer.id = ask.id;
        if (GET(stubborn_off))
            answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        else
            answer.error = -EAGAIN;
        ADD(stubborn_asked, 1);
        ioctl(GET(stubborn_listener), SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
    return unused;
}

/* Has calls that move data of the number answered so. Before the first call of the library: its threads inherit it. */
static inline void stubborn_start(void)
{
    static const int calls[] = {
        SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_preadv, SYS_pwritev, SYS_preadv2, SYS_pwritev2, SYS_pread64,
        SYS_pwrite64, SYS_recvfrom, SYS_recvmsg, SYS_sendto, SYS_sendmsg, SYS_accept, SYS_accept4, SYS_splice,
        SYS_sendfile,
    };
    enum { CALLS = sizeof calls / sizeof *calls };
    struct sock_filter f[CALLS + 6];
    struct sock_fprog prog = { CALLS + 6, f };
    struct rlimit limit;
    int fd;

    if (on_valgrind())
        SKIP("numbers and calls are valgrind's");
    OK(getrlimit(RLIMIT_NOFILE, &limit));
    if (limit.rlim_cur <= STUBBORN) {
        limit.rlim_cur = STUBBORN + 1;
        if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
            SKIP("too few descriptors");
    }
    f[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < CALLS; i++)
        f[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i],
                                                (unsigned char)(CALLS - i), 0);
    f[CALLS + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    f[CALLS + 2] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0]));
    f[CALLS + 3] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, STUBBORN, 0, 1);
    f[CALLS + 4] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    f[CALLS + 5] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    ZERO(pthread_detach(start_thread(stubborn_serve, NULL))); /* not filtered itself */
    OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
    if (fd == -1)
        SKIP("no seccomp filters that ask");
    OK(fcntl(fd, F_SETFD, FD_CLOEXEC));
    SET(stubborn_listener, fd);
}

enum { UNIX_IN, UNIX_OUT, TCP_IN, TCP_OUT, UDP_IN, UDP_OUT, PIPE_IN, PIPE_OUT, EVENTFD_IN, EVENTFD_OUT, TIMERFD,
       INOTIFY, LISTENER, MASTER_IN, MASTER_OUT, KINDS };

static int stubborn_keep[2];

/* A descriptor of this kind that is ready, under the number; whether it is to be written. -1 if there is none here. */
static inline int stubborn_make(int kind)
{
    int fd = -1, writes = kind == UNIX_OUT || kind == TCP_OUT || kind == UDP_OUT || kind == PIPE_OUT ||
                          kind == EVENTFD_OUT || kind == MASTER_OUT;
    struct address a;
    struct itimerspec soon = { .it_value.tv_nsec = 1 };

    stubborn_keep[0] = stubborn_keep[1] = -1;
    switch (kind) {
    case UNIX_IN: case UNIX_OUT:
        unix_pair(stubborn_keep);
        fd = stubborn_keep[0];
        OK(write(stubborn_keep[1], "abc", 3));
        break;
    case TCP_IN: case TCP_OUT:
        CHECK(tcp_pair(AF_INET, stubborn_keep));
        fd = stubborn_keep[0];
        OK(write(stubborn_keep[1], "abc", 3));
        break;
    case UDP_IN: case UDP_OUT:
        fd = stubborn_keep[0] = bound_socket(AF_INET, SOCK_DGRAM, &a);
        OK(sendto(fd, "abc", 3, 0, SOCKADDR(&a), a.length));
        OK(connect(fd, SOCKADDR(&a), a.length));
        break;
    case PIPE_IN: case PIPE_OUT:
        OK(pipe2(stubborn_keep, O_CLOEXEC));
        fd = stubborn_keep[kind == PIPE_OUT];
        OK(write(stubborn_keep[1], "abc", 3));
        break;
    case EVENTFD_IN: case EVENTFD_OUT:
        fd = stubborn_keep[0] = OK(eventfd(1, EFD_CLOEXEC));
        break;
    case TIMERFD:
        fd = stubborn_keep[0] = OK(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
        OK(timerfd_settime(fd, 0, &soon, NULL));
        break;
    case INOTIFY:
        fd = stubborn_keep[0] = OK(inotify_init1(IN_CLOEXEC));
        OK(inotify_add_watch(fd, "/dev/null", IN_OPEN));
        OK(close(OK(open("/dev/null", O_RDONLY))));
        break;
    case LISTENER:
        fd = stubborn_keep[0] = listener(AF_INET, 8, &a);
        stubborn_keep[1] = OK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        OK(connect(stubborn_keep[1], SOCKADDR(&a), a.length));
        break;
    default:
        fd = stubborn_keep[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (fd == -1)
            return -1;
        OK(grantpt(fd));
        OK(unlockpt(fd));
        stubborn_keep[1] = OK(open(ptsname(fd), O_RDWR | O_NOCTTY | O_CLOEXEC));
        OK(write(stubborn_keep[1], "abc", 3));
        break;
    }
    OK(dup3(fd, STUBBORN, O_CLOEXEC));
    return writes;
}

/* Queues the operation of this kind. */
static inline void stubborn_queue(int kind, int writes)
{
    static char b[64];

    memset(b, 0, sizeof b);
    b[0] = 1;
    if (kind == LISTENER)
        QUEUED(ioevent_accept(STUBBORN, NULL, NULL));
    else if (writes)
        QUEUED(ioevent_write(STUBBORN, b, 8));
    else
        QUEUED(ioevent_read(STUBBORN, b, sizeof b));
}

static inline void stubborn_end(void)
{
    GIVES(ioevent_close(STUBBORN), 0);
    for (int i = 0; i < 2; i++)
        if (stubborn_keep[i] >= 0)
            OK(close(stubborn_keep[i]));
}

#endif
