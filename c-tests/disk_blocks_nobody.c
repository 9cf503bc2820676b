/*
 * While the kernel holds an operation of a worker on a file (a disk, a file system or another process may do that for
 * minutes), no call of the program waits for it, on whatever descriptor: rule 5.5. There is one operation held by
 * each way into the kernel; a watchdog alarm tells of a call that waits.
 */
#include "test_held.h"

enum { PREAD, PWRITE, READ, WRITE, KINDS };
enum { OTHERS = 300 };

static int p, calls, in_call; /* how many were made; the line of the one that is not back */

/* A call that waits may do so uninterruptibly, so a thread looks after it. */
static void *watch_calls(void *kind)
{
    for (int last = 0, ms = 0;; ms++) {
        breathe();
        if (GET(in_call) == 0 || GET(calls) != last) {
            last = GET(calls);
            ms = 0;
        } else if (ms > 4000) {
            dprintf(2, "%s:%d: the call has not come back for 4 s, while the kernel holds an operation (kind %d);",
                    __FILE__, GET(in_call), *(int *)kind);
            test_show_file(test_pid, "wchan");
            test_show_file(test_pid, "syscall");
            dprintf(2, "\n");
            _exit(1);
        }
    }
}

/* The call comes back; what it gives is checked elsewhere. */
#define RETURNS(call)                                                           \
    do {                                                                        \
        ADD(calls, 1);                                                          \
        SET(in_call, __LINE__);                                                 \
        (void)!(call);                                                          \
        SET(in_call, 0);                                                        \
    } while (0)

/* All the calls, on descriptors that have nothing to do with the file. */
static void calls_on_others(void)
{
    struct address a;
    int l = listener(AF_INET, 64, &a), s[2], x[2], y[2], file = disk_file(), q;
    static char b[16];
    struct ioevent e;

    fill_file(file, HELD_PAGE);
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
static void calls_on_hundreds(void)
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

/* The same file by another descriptor: a dup (and so the same position), and opened anew. */
static void calls_on_the_file(int fd)
{
    int copy = OK(dup(fd)), anew = reopen(fd, O_RDWR), x[2], y[2];
    static char b[16];

    OK(pipe2(x, O_CLOEXEC));
    OK(pipe2(y, O_CLOEXEC));
    OK(write(x[1], "0123456789", 10));
    for (int i = 0; i < 2; i++) {
        int f = i ? anew : copy;

        RETURNS(ioevent_fcntl(f, F_SETIOEVENTPIPE, p, USER(2000)));
        for (int flags = 0; flags < 2; flags++) {
            RETURNS(ioevent_fcntl(f, F_SETIOEVENTFLAGS, flags));
            RETURNS(ioevent_pread(f, b, sizeof b, 16 * HELD_PAGE));
            RETURNS(ioevent_read(f, b, sizeof b));
            RETURNS(ioevent_write(f, "x", 1));
            RETURNS(ioevent_pwrite(f, "x", 1, 16 * HELD_PAGE));
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
        RETURNS(ioevent_dup2(0, f));
        RETURNS(ioevent_close(f));
    }
    for (int i = 0; i < 2; i++) {
        RETURNS(ioevent_close(x[i]));
        RETURNS(ioevent_close(y[i]));
    }
}

/* The descriptor of the held operation itself. */
static void calls_on_itself(int fd, bool closes)
{
    static char b[16];

    RETURNS(ioevent_pread(fd, b, sizeof b, 16 * HELD_PAGE));
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

static int run(int kind)
{
    int fd = held_file(32 * HELD_PAGE, kind == PWRITE || kind == WRITE);
    char *page = held_page();
    bool held = false;

    ATTACH(fd, p, 1);
    switch (kind) {
    case PREAD: held = IS_HELD(ioevent_pread(fd, page, HELD_PAGE, HELD_PAGE)); break;
    case PWRITE: held = IS_HELD(ioevent_pwrite(fd, page, HELD_PAGE, HELD_PAGE)); break;
    case READ: held = IS_HELD(ioevent_read(fd, page, HELD_PAGE)); break;
    default: held = IS_HELD(ioevent_write(fd, page, HELD_PAGE)); break;
    }
    if (held) {
        calls_on_others();
        calls_on_hundreds();
        calls_on_the_file(fd);
        calls_on_itself(fd, kind % 2);
        RELEASE();
    }
    while (HARVEST(p).ioe_user != USER(1)) {}
    if (!held || kind % 2 == 0)
        GIVES(ioevent_close(fd), 0);
    return held;
}

int main(void)
{
    int held = 0;
    static int kind;

    ZERO(pthread_detach(start_thread(watch_calls, &kind)));
    signal(SIGHUP, SIG_IGN);
    p = OK(ioeventpipe(4096));
    for (kind = 0; kind < KINDS; kind++)
        held += run(kind);
    if (!held)
        SKIP("the calling thread does the I/O by itself here");
    return 0;
}
