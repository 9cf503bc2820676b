/* What is a cancellation point in libc still is one; what is none is none. */
#include "check.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

static int s[2], full[2], p[2], q[2], l, file, e, cleaned, survived;
static pid_t child;
static char b[16];
static struct iovec iov = { b, 1 };
static struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
static struct mmsghdr mmsg = { { .msg_iov = &iov, .msg_iovlen = 1 }, 0 };
static struct flock other = { .l_type = F_WRLCK };
static siginfo_t info;
static eventfd_t value;
static volatile pid_t tid;

static void cleanup(void *unused)
{
    (void)unused;
    cleaned++;
}

/* ---- calls that block ---- */

static void b_read(void) { read(s[0], b, 1); }
static void b_readv(void) { readv(s[0], &iov, 1); }
static void b_preadv2(void) { preadv2(p[0], &iov, 1, -1, 0); }
static void b_recv(void) { recv(s[0], b, 1, 0); }
static void b_recvfrom(void) { recvfrom(s[0], b, 1, 0, NULL, NULL); }
static void b_recvmsg(void) { recvmsg(s[0], &msg, 0); }
static void b_recvmmsg(void) { recvmmsg(s[0], &mmsg, 1, 0, NULL); }
static void b_accept(void) { accept(l, NULL, NULL); }
static void b_accept4(void) { accept4(l, NULL, NULL, SOCK_CLOEXEC); }
static void b_write(void) { write(full[0], b, 1); }
static void b_writev(void) { writev(full[0], &iov, 1); }
static void b_send(void) { send(full[0], b, 1, 0); }
static void b_sendto(void) { sendto(full[0], b, 1, 0, NULL, 0); }
static void b_sendmsg(void) { sendmsg(full[0], &msg, 0); }
static void b_sendmmsg(void) { sendmmsg(full[0], &mmsg, 1, 0); }
static void b_splice(void) { splice(p[0], NULL, q[1], NULL, 1, 0); }
static void b_tee(void) { tee(p[0], q[1], 1, 0); }
static void b_eventfd(void) { eventfd_read(e, &value); }
static void b_waitid(void) { waitid(P_PID, (id_t)child, &info, WEXITED); }
static void b_lock(void) { fcntl(file, F_SETLKW, &other); }

static void (*const blocking[])(void) = { b_read, b_readv, b_preadv2, b_recv, b_recvfrom, b_recvmsg, b_recvmmsg,
    b_accept, b_accept4, b_write, b_writev, b_send, b_sendto, b_sendmsg, b_sendmmsg, b_splice, b_tee, b_eventfd,
    b_waitid, b_lock };

static void *blocks(void *call)
{
    pthread_cleanup_push(cleanup, NULL);
    __atomic_store_n(&tid, gettid(), __ATOMIC_SEQ_CST);
    ((void (*)(void))call)();
    pthread_cleanup_pop(0);
    return NULL;
}

static void until_asleep(void)
{
    char path[64], stat[200];

    while (!__atomic_load_n(&tid, __ATOMIC_SEQ_CST))
        usleep(100);
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    for (;;) {
        int fd = open(path, O_RDONLY);
        ssize_t n = read(fd, stat, sizeof stat - 1);

        close(fd);
        stat[n > 0 ? n : 0] = 0;
        if (strstr(stat, ") S "))
            return;
        usleep(100);
    }
}

/* ---- calls that do not, in a thread that is to be cancelled ---- */

static void n_sendfile(void) { sendfile(q[1], file, NULL, 1); }
static void n_dup2(void) { dup2(s[0], 200); }
static void n_dup3(void) { dup3(s[0], 200, O_CLOEXEC); }
static void n_shutdown(void) { shutdown(s[0], 77); }
static void n_close_range(void) { close_range(200, 300, 0); }
static void n_closefrom(void) { closefrom(200); }
static void n_getfl(void) { fcntl(s[0], F_GETFL); }
static void n_setlk(void) { fcntl(s[0], F_SETLK, &other); }
static void n_strerror(void) { strerror(ENOENT); }

static void (*const immediate[])(void) = { n_sendfile, n_dup2, n_dup3, n_shutdown, n_close_range, n_closefrom, n_getfl,
    n_setlk, n_strerror };

static void c_read(void) { read(file, b, 1); }
static void c_pread(void) { pread(file, b, 1, 0); }
static void c_preadv(void) { preadv(file, &iov, 1, 0); }
static void c_preadv2(void) { preadv2(file, &iov, 1, 0, 0); }
static void c_write(void) { write(file, b, 1); }
static void c_pwrite(void) { pwrite(file, b, 1, 0); }
static void c_pwritev(void) { pwritev(file, &iov, 1, 0); }
static void c_pwritev2(void) { pwritev2(file, &iov, 1, 0, 0); }
static void c_close(void) { close(-1); }
static void c_fsync(void) { fsync(file); }
static void c_fdatasync(void) { fdatasync(file); }
static void c_connect(void) { connect(-1, NULL, 0); }
static void c_vmsplice(void) { vmsplice(q[1], &iov, 1, 0); }
static void c_eventfd_write(void) { eventfd_write(e, 1); }
static void c_setlkw(void) { fcntl(file, F_SETLKW, &other); }

static void (*const points[])(void) = { c_read, c_pread, c_preadv, c_preadv2, c_write, c_pwrite, c_pwritev, c_pwritev2,
    c_close, c_fsync, c_fdatasync, c_connect, c_vmsplice, c_eventfd_write, c_setlkw };

static void *is_to_be_cancelled(void *call)
{
    pthread_cleanup_push(cleanup, NULL);
    pthread_cancel(pthread_self());
    ((void (*)(void))call)();
    survived++;
    pthread_testcancel();
    pthread_cleanup_pop(0);
    return NULL;
}

static void cancelled(void *(*start)(void *), void (*call)(void), int wait)
{
    pthread_t t;
    void *result = NULL;

    cleaned = 0;
    survived = 0;
    tid = 0;
    GIVES(pthread_create(&t, NULL, start, (void *)call), 0);
    if (wait) {
        until_asleep();
        GIVES(pthread_cancel(t), 0);
    }
    GIVES(pthread_join(t, &result), 0);
    CHECK(result == PTHREAD_CANCELED);
    GIVES(cleaned, 1);
}

int main(void)
{
    char path[] = "/tmp/cancel.XXXXXX";
    struct sockaddr_un_ { sa_family_t family; } address = { AF_UNIX };
    int held[2];

    GIVES(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    GIVES(socketpair(AF_UNIX, SOCK_STREAM, 0, full), 0);
    while (send(full[0], b, sizeof b, MSG_DONTWAIT) > 0)
        ;
    GIVES(pipe(p), 0);
    GIVES(pipe(q), 0);
    l = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    GIVES(bind(l, (struct sockaddr *)&address, sizeof address), 0);
    GIVES(listen(l, 1), 0);
    e = OK(eventfd(0, 0));
    file = OK(mkstemp(path));
    unlink(path);
    GIVES(write(file, b, sizeof b), (int)sizeof b);
    GIVES(pipe(held), 0);
    child = OK(fork());
    if (child == 0) {
        OK(fcntl(file, F_SETLK, &other));
        OK(write(held[1], b, 1));
        for (;;)
            pause();
    }
    GIVES(read(held[0], b, 1), 1);
    for (size_t i = 0; i < sizeof blocking / sizeof *blocking; i++)
        cancelled(blocks, blocking[i], 1);
    kill(child, SIGKILL);
    GIVES(child_status(child), 128 + SIGKILL);

    for (size_t i = 0; i < sizeof immediate / sizeof *immediate; i++) {
        cancelled(is_to_be_cancelled, immediate[i], 0);
        if (survived != 1)
            fail_at(PLACE "a cancellation point that libc has not", (long)i);
    }
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        cancelled(is_to_be_cancelled, points[i], 0);
        if (survived != 0)
            fail_at(PLACE "no cancellation point", (long)i);
    }
    return 0;
}
