/*
 * A small server that uses the library in many ways, to be run while a system call is refused (deny.c): each part
 * works, or fails with the errno of the refusal (DENY_ERRNO); nothing hangs, nothing is lost, no signal comes, and
 * nobody uses the processor while nothing happens. Says which parts failed. ci/deny.sh knows which may.
 */
#include "server_echo.h"
#include "server_files.h"
#include "server_io.h"
#include "server_sockets.h"

enum { PLACES = 64 };

static void timers(void)
{
    struct ioevent_op op;
    struct io io = { 0 };
    struct timespec limit = { 0, 30000000 };
    long long before = now_ns();
    int fd[2];
    char c;

    memset(&op, 0, sizeof op);
    op.ioo_kind = IOEVENT_OP_TIMER;
    op.ioo_fd = p;
    op.ioo_timeout = limit;
    op.ioo_user = &io;
    if (ioevent_submit(&op, 1) != 1)
        fails("timer", errno);
    else if (wait_for("timer", &io)) {
        SAME(io.result, 0);
        CHECK(now_ns() - before >= 30000000 && now_ns() - before < 2000000000);
    }
    unix_pair(fd);
    if (attached("timeout", fd[0], &io)) {
        if (ioevent_fcntl(fd[0], F_SETIOEVENTTIMEO, &limit) == -1)
            fails("timeout", errno);
        else if (RUN("timeout", &io, ioevent_read(fd[0], &c, 1))) {
            SAME(io.result, -1);
            SAME(io.err, ETIMEDOUT);
        }
    }
    ioevent_close(fd[0]);
    close(fd[1]);
}

static void child_exit(void)
{
    struct io io = { 0 };
    siginfo_t info = { 0 };
    pid_t pid = OK(fork());
    int fd;

    if (pid == 0)
        _exit(3);
    fd = (int)OK(syscall(SYS_pidfd_open, pid, 0));
    if (attached("waitid", fd, &io) && RUN("waitid", &io, ioevent_waitid(P_PIDFD, (id_t)fd, &info, WEXITED))) {
        SAME(io.result, 0);
        SAME(info.si_status, 3);
    } else {
        waitpid(pid, NULL, 0);
    }
    ioevent_close(fd);
}

static void posts(void)
{
    struct io io = { 0 };
    struct ioevent event = { &io, 42, 7 };
    ssize_t n = ioevent_write(p, &event, sizeof event);

    if (n == -1)
        return fails("post", errno);
    SAME(n, sizeof event);
    wait_for("post", &io);
    SAME(io.result, 42);
}

/* What a forked child has of the library's: nothing but a dead descriptor in the place of the pipe. */
static void forked(void)
{
    pid_t pid = OK(fork());
    int status;

    if (pid == 0) {
        DIR *dir = opendir("/proc/self/fd");
        struct dirent *entry;
        char to[64], buffer[64];
        int q;

        CHECK(dir || has_no_proc());
        while (dir && (entry = readdir(dir))) {
            int fd = atoi(entry->d_name);
            ssize_t n = readlinkat(dirfd(dir), entry->d_name, to, sizeof to - 1);

            if (n <= 0)
                continue;
            to[n] = 0;
            if (strstr(to, "eventpoll") || strstr(to, "eventfd") || strstr(to, "timerfd")) {
                if (fd != p) {
                    dprintf(2, "a forked child has %d -> %s\n", fd, to);
                    _exit(1);
                }
            }
        }
        if (dir)
            closedir(dir);
        CHECK(read(p, buffer, sizeof buffer) == -1 && (errno == EBADF || errno == EINVAL));
        CHECK(ioevent_wait(p, (struct ioevent *)(void *)buffer, 1, &no_wait) == -1);
        CHECK(errno == EBADF || errno == EINVAL);
        q = OK(ioeventpipe(4));
        GIVES(ioevent_close(q), 0);
        _exit(0);
    }
    SAME(waitpid(pid, &status, 0), pid);
    SAME(status, 0);
}

/* Nothing happens for a while: then nobody computes. */
static void idle(const char *what)
{
    struct rusage before, after;
    long used;

    usleep(20000);
    getrusage(RUSAGE_SELF, &before);
    usleep(100000);
    getrusage(RUSAGE_SELF, &after);
    used = (after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1000000
           + after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_stime.tv_usec;
    if (used > 30000) {
        dprintf(2, "%s: %ld us of processor time in 100000 us of nothing\n", what, used);
        _exit(1);
    }
}

static void unattended(int pair[2])
{
    static struct io io;
    static char c;
    int there = 1;

    /* Without threads of the library's own operations wait for the next harvest. */
    if (getenv("WITHOUT_THREADS") || strstr(failing, "recv") || !attached("progress", pair[0], &io)
        || !queued("progress", ioevent_read(pair[0], &c, 1)))
        return;
    idle("no thread harvests");
    OK(write(pair[1], "x", 1));
    UNTIL(OK(ioctl(pair[0], FIONREAD, &there)) == 0 && there == 0);
    idle("an event lies unread");
}

int main(void)
{
    const char *error = getenv("DENY_ERRNO");
    int before = count_fds(), pair[2];
    struct ioevent stop = { NULL, 0, 0 };
    pthread_t threads[2];

    refusal = error ? atoi(error) : 0;
    p = ioeventpipe(PLACES);
    if (p == -1) {
        fails("ioeventpipe", errno);
        SAME(count_fds(), before);
        printf("fails: ioeventpipe\n");
        return 0;
    }
    for (int i = 0; i < 2; i++)
        SAME(pthread_create(&threads[i], NULL, harvest, NULL), 0);

    posts();
    timers();
    file();
    pipes();
    terminal();
    counter();
    transfers();
    messages();
    connecting();
    child_exit();
    echo();
    forked();
    idle("two threads harvest");

    /* No thread harvests: what was queued goes on all the same. */
    unix_pair(pair);
    if (!strstr(failing, "post")) {
        for (int i = 0; i < 2; i++)
            GIVES(ioevent_write(p, &stop, sizeof stop), sizeof stop);
        for (int i = 0; i < 2; i++)
            pthread_join(threads[i], NULL);
        unattended(pair);
        GIVES(ioevent_close(p), 0);
    } else {
        __atomic_store_n(&stopping, 1, __ATOMIC_SEQ_CST);
        GIVES(ioevent_close(p), 0);
        for (int i = 0; i < 2; i++)
            pthread_join(threads[i], NULL);
    }
    close(pair[0]);
    close(pair[1]);
    close(listening);
    for (int i = 0; i < nconns; i++)
        close(conns[i].fd);
    for (int i = 0; i < CONNECTIONS; i++)
        if (clients[i] > 0)
            close(clients[i]);
    SAME(count_fds(), before);
    printf(failing[0] ? "fails:%s\n" : "works\n", failing);
    return 0;
}
