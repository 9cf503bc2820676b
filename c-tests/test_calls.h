/*
 * Calls of every kind that have to come back at once whatever the kernel is at work on, with a thread that looks after
 * them: on descriptors that have nothing to do with it, on the same file by another descriptor, and on the same one.
 */
#ifndef TEST_CALLS_H
#define TEST_CALLS_H

#include "test_file.h"

enum { OTHERS = 300 };

static int calls;                        /* how many were made */
static const struct test_place *in_call; /* the one that is not back */
static int calls_kind;                   /* what the kernel is at work on */

static void (*calls_let_go)(void);

static bool calls_close_waits; /* the kernel lets no close(2) of the file go on: none is made */
static int calls_left[2];      /* the two that were not made */

/* A call that waits may do so uninterruptibly, so a thread looks after it. */
static inline void *watch_calls(void *unused)
{
    for (int last = 0, ms = 0;; ms++) {
        breathe();
        if (GET(in_call) == NULL || GET(calls) != last) {
            last = GET(calls);
            ms = 0;
        } else if (ms > 4000) {
            const struct test_place *place = GET(in_call);

            dprintf(2, "%s:%d: %s has not come back for 4 s, while the kernel holds an operation (kind %d);",
                    place->file, place->line, place->what, GET(calls_kind));
            test_show_file(test_pid, "wchan");
            test_show_file(test_pid, "syscall");
            dprintf(2, "\n");
            if (calls_let_go) /* or not even the end of the process could end it */
                calls_let_go();
            _exit(1);
        }
    }
    return unused;
}

/* The call comes back; what it gives is checked elsewhere. */
#define RETURNS(call)                                                           \
    do {                                                                        \
        static const struct test_place here_ = { __FILE__, __LINE__, #call };   \
        ADD(calls, 1);                                                          \
        SET(in_call, &here_);                                                   \
        (void)!(call);                                                          \
        SET(in_call, NULL);                                                     \
    } while (0)

/* All the calls, on descriptors that have nothing to do with the file. */
static inline void calls_on_others(void)
{
    struct address a;
    int l = listener(AF_INET, 64, &a), s[2], x[2], y[2], file = disk_file(), q;
    static char b[16];
    struct ioevent e;

    fill_file(file, 4096);
    unix_pair(s);
    OK(pipe2(x, O_CLOEXEC));
    OK(pipe2(y, O_CLOEXEC));
    RETURNS(q = ioeventpipe(64));
    for (int nonblock = 0; nonblock < 2; nonblock++) {
        int c = OK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), fds[] = { l, s[0], s[1], x[0], y[1], file, c };

        for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
            set_nonblock(fds[i], nonblock);
            RETURNS(ioevent_fcntl(fds[i], F_SETIOEVENTPIPE, q, USER(i)));
        }
        RETURNS(ioevent_accept(l, NULL, NULL));
        RETURNS(ioevent_connect(c, SOCKADDR(&a), a.length));
        RETURNS(ioevent_read(s[0], b, sizeof b));
        RETURNS(ioevent_write(s[1], "abc", 3));
        RETURNS(ioevent_read(x[0], b, sizeof b));
        RETURNS(ioevent_pread(file, b, sizeof b, 0));
        RETURNS(ioevent_pwrite(file, "abc", 3, 0));
        RETURNS(ioevent_fsync(file));
        RETURNS(ioevent_read(file, b, sizeof b));
        RETURNS(ioevent_write(file, "abc", 3));
        RETURNS(ioevent_sendfile(y[1], file, NULL, 8));
        RETURNS(ioevent_splice(file, NULL, y[1], NULL, 8, 0));
        RETURNS(ioevent_splice(x[0], NULL, file, NULL, 8, 0));
        RETURNS(ioevent_poll(s[0], POLLIN));
        RETURNS(ioevent_shutdown(s[0], SHUT_WR));
        RETURNS(ioevent_wait(q, &e, 1, &no_wait));
        for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
            RETURNS(ioevent_cancel(fds[i]));
            RETURNS(ioevent_fcntl(fds[i], F_SETIOEVENTPIPE, -1, NULL));
        }
        RETURNS(ioevent_close(c));
    }
    RETURNS(ioevent_close(q));
    RETURNS(ioevent_close(l));
    RETURNS(ioevent_close(s[0]));
    RETURNS(ioevent_close(file));
    OK(close(s[1]));
    for (int i = 0; i < 2; i++) {
        OK(close(x[i]));
        OK(close(y[i]));
    }
}

/* Hundreds of others, so that any lock they may share by chance is tried. */
static inline void calls_on_hundreds(int p)
{
    static int fd[OTHERS];
    static char b[4];

    for (int i = 0; i < OTHERS; i++) {
        struct address a;

        switch (i % 3) {
        case 0: fd[i] = listener(AF_INET, 1, &a); break;
        case 1: fd[i] = OK(posix_openpt(O_RDWR | O_NOCTTY)); break;
        default: fd[i] = OK(dup(fd[i - 1])); break;
        }
        set_nonblock(fd[i], i % 2);
        RETURNS(ioevent_fcntl(fd[i], F_SETIOEVENTPIPE, p, USER(1000 + i)));
        if (i % 3 == 0) {
            RETURNS(ioevent_accept(fd[i], NULL, NULL));
        } else {
            RETURNS(ioevent_read(fd[i], b, sizeof b));
            RETURNS(ioevent_write(fd[i], "x", 1));
        }
    }
    for (int i = 0; i < OTHERS; i++)
        RETURNS(ioevent_close(fd[i]));
}

/* The same file by another descriptor: a dup (and so the same position), and one opened anew, which it closes. */
static inline void calls_on_the_file(int p, int fd, int anew)
{
    int copy = OK(dup(fd)), x[2], y[2];
    static char b[16];

    OK(pipe2(x, O_CLOEXEC));
    OK(pipe2(y, O_CLOEXEC));
    OK(write(x[1], "0123456789", 10));
    for (int i = 0; i < 2; i++) {
        int f = i ? anew : copy;

        RETURNS(ioevent_fcntl(f, F_SETIOEVENTPIPE, p, USER(2000)));
        for (int flags = 0; flags < 2; flags++) {
            RETURNS(ioevent_fcntl(f, F_SETIOEVENTFLAGS, flags));
            RETURNS(ioevent_pread(f, b, sizeof b, 16 * 4096));
            RETURNS(ioevent_read(f, b, sizeof b));
            RETURNS(ioevent_write(f, "x", 1));
            RETURNS(ioevent_pwrite(f, "x", 1, 16 * 4096));
            RETURNS(ioevent_fsync(f));
            RETURNS(ioevent_sendfile(y[1], f, NULL, 8));
            RETURNS(ioevent_splice(f, NULL, y[1], NULL, 8, 0));
            RETURNS(ioevent_splice(x[0], NULL, f, NULL, 4, 0));
            RETURNS(ioevent_poll(f, POLLIN));
        }
        RETURNS(ioevent_cancel(f));
        RETURNS(ioevent_fcntl(f, F_GETIOEVENTPIPE, &(int){ 0 }, &(void *){ 0 }));
        RETURNS(ioevent_fcntl(f, F_SETIOEVENTPIPE, -1, NULL));
        RETURNS(ioevent_fcntl(f, F_SETIOEVENTPIPE, p, USER(2000)));
        calls_left[i] = calls_close_waits ? f : -1;
        if (calls_close_waits)
            continue;
        RETURNS(ioevent_dup2(0, f));
        RETURNS(ioevent_close(f));
    }
    for (int i = 0; i < 2; i++) {
        RETURNS(ioevent_close(x[i]));
        RETURNS(ioevent_close(y[i]));
    }
}

/* The descriptor of the held operation itself. */
static inline void calls_on_itself(int p, int fd, bool closes)
{
    static char b[16];

    RETURNS(ioevent_fcntl(fd, F_SETIOEVENTPIPE, p, USER(3)));
    RETURNS(ioevent_pread(fd, b, sizeof b, 16 * 4096));
    RETURNS(ioevent_read(fd, b, sizeof b));
    RETURNS(ioevent_write(fd, "x", 1));
    RETURNS(ioevent_fsync(fd));
    RETURNS(ioevent_poll(fd, POLLIN));
    RETURNS(ioevent_cancel(fd));
    RETURNS(ioevent_fcntl(fd, F_SETIOEVENTPIPE, p, USER(3)));
    RETURNS(ioevent_fcntl(fd, F_SETIOEVENTPIPE, -1, NULL));
    RETURNS(ioevent_fcntl(fd, F_SETIOEVENTPIPE, p, USER(3)));
    if (closes)
        RETURNS(ioevent_close(fd));
}

#endif
