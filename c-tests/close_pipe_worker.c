/*
 * A worker has seen that the number of its operation is still its file, and is about to make its call on it, when the
 * pipe is closed, and then the descriptor by another thread: the call does not go to the file that gets the number
 * next: rule 3.7, rule 4.3. (A filter of system calls holds the worker there.)
 */
#include "test_file.h"
#include <linux/filter.h>
#include <linux/seccomp.h>

enum { NUMBER = 70, BYTES = (1 << 20) + 4096 };

static int asks = -1, held, p;
static struct seccomp_notif the_one;

static void answer(const struct seccomp_notif *to, unsigned flags)
{
    struct seccomp_notif_resp answer = { .id = to->id, .flags = flags };

    OK(ioctl(asks, SECCOMP_IOCTL_NOTIF_SEND, &answer));
}

/* statx of the number: the worker's last one before its call is held. All others are let through. */
static void *serve(void *unused)
{
    UNTIL(GET(asks) != -1);
    for (int asked = 0;;) {
        struct seccomp_notif ask = { 0 };

        if (ioctl(asks, SECCOMP_IOCTL_NOTIF_RECV, &ask) == -1)
            continue;
        if ((pid_t)ask.pid == getpid() || ++asked != 3) {
            answer(&ask, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
            continue;
        }
        the_one = ask;
        SET(held, 1);
    }
    return unused;
}

static void *close_pipe(void *unused)
{
    OK(ioevent_close(p));
    return unused;
}

int main(void)
{
    static char bytes[BYTES];
    struct sock_filter f[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_statx, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NUMBER, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = { sizeof f / sizeof *f, f };
    struct stat s;
    pthread_t closer;
    void *user;
    int file, other, attached;

    if (on_valgrind())
        SKIP("numbers and calls are valgrind's");
    file = disk_file();
    OK(dup2(file, NUMBER));
    ZERO(pthread_detach(start_thread(serve, NULL))); /* not filtered itself */
    OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    other = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
    if (other == -1)
        SKIP("no seccomp filters that ask");
    SET(asks, other);

    p = OK(ioeventpipe(8));
    ATTACH(NUMBER, p, 1);
    memset(bytes, 'x', sizeof bytes);
    QUEUED(ioevent_pwrite(NUMBER, bytes, sizeof bytes, 0));
    UNTIL(GET(held));
    closer = start_thread(close_pipe, NULL);
    UNTIL(OK(ioevent_fcntl(NUMBER, F_GETIOEVENTPIPE, &attached, &user)) == 0 && attached == -1);
    OK(ioevent_close(NUMBER));
    other = disk_file();
    OK(dup2(other, NUMBER));
    /* What the kernel would have said before. */
    OK(syscall(SYS_statx, file, the_one.data.args[1], the_one.data.args[2], the_one.data.args[3],
               the_one.data.args[4]));
    answer(&the_one, 0);
    ZERO(pthread_join(closer, NULL));
    OK(fstat(other, &s));
    CHECK(s.st_size == 0);
    OK(fstat(file, &s));
    CHECK(s.st_size == BYTES);
    return 0;
}
