/*
 * epoll_ctl(2) that is refused while a test wants it, as when fs.epoll.max_user_watches is reached or memory is
 * short: a filter of system calls asks a thread of the test what to answer. Calls of that thread are let through.
 */
#ifndef TEST_REFUSE_H
#define TEST_REFUSE_H

#include "test.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/epoll.h>

static int refuse_listener = -1;
static int refuse_op;      /* EPOLL_CTL_ADD, EPOLL_CTL_MOD or 0: none is refused */
static int refuse_errno;
static int refused;        /* how many were */

/*
 * What the kernel would say of an ADD that it refuses: it looks first whether the descriptor is there already, or is
 * one that can be watched at all. Asked by trying.
 */
static inline int refuse_add(const struct seccomp_data *data)
{
    struct epoll_event nothing = { .events = 0 };
    int epfd = (int)data->args[0], fd = (int)data->args[2];

    if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &nothing) == -1)
        return errno;
    epoll_ctl(epfd, EPOLL_CTL_DEL, fd, NULL);
    return GET(refuse_errno);
}

static inline void *refuse_serve(void *unused)
{
    struct seccomp_notif ask;
    struct seccomp_notif_resp answer;

    UNTIL(GET(refuse_listener) != -1);
    for (;;) {
        memset(&ask, 0, sizeof ask);
        if (ioctl(GET(refuse_listener), SECCOMP_IOCTL_NOTIF_RECV, &ask) == -1)
            continue;
        memset(&answer, 0, sizeof answer);
        answer.id = ask.id;
        if ((int)ask.data.args[1] == GET(refuse_op)) {
            answer.error = -(GET(refuse_op) == EPOLL_CTL_ADD ? refuse_add(&ask.data) : GET(refuse_errno));
            ADD(refused, 1);
        } else {
            answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        }
        ioctl(GET(refuse_listener), SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
    return unused;
}

/* Before the first call of the library, whose threads inherit it. */
static inline void refuse_start(void)
{
    struct sock_filter f[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_ctl, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = { sizeof f / sizeof *f, f };
    int fd;

    if (on_valgrind())
        SKIP("calls are valgrind's");
    ZERO(pthread_detach(start_thread(refuse_serve, NULL))); /* not filtered itself */
    OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
    if (fd == -1)
        SKIP("no seccomp filters that ask");
    OK(fcntl(fd, F_SETFD, FD_CLOEXEC));
    SET(refuse_listener, fd);
}

/* From here on epoll_ctl(2) of this kind fails so; 0: none does. */
static inline void refuse(int op, int err)
{
    SET(refuse_errno, err);
    SET(refuse_op, op);
}

#endif
