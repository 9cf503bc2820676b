/*
 * A small server that uses the library in many ways, to be run while a system call is refused (deny.c): each part
 * works, or fails with the errno of the refusal (DENY_ERRNO); nothing hangs, nothing is lost, no signal comes, and
 * nobody uses the processor while nothing happens. Says which parts failed. ci/deny.sh knows which may.
 */
#include "../test.h"

#include <pty.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>

enum { PLACES = 64, BIG = 600000, CONNECTIONS = 4 };

static int p, refusal;
static char failing[1024];

static bool is_refusal(int err)
{
    const char *call = getenv("DENY");

    /* epoll_ctl has a meaning of its own for EPERM; without mmap there is no memory */
    return refusal != 0
           && (err == refusal || err == ENOSYS || (err == ENOMEM && call && strcmp(call, "mmap") == 0));
}

/* A part does not work, for a reason that is the refusal. */
static void fails(const char *part, int err)
{
    char text[64];

    if (!is_refusal(err)) {
        dprintf(2, "%s: errno %d (%s) where the refusal was %d\n", part, err, ioevent_strerror(err), refusal);
        _exit(1);
    }
    snprintf(text, sizeof text, " %s", part);
    if (!strstr(failing, text))
        strncat(failing, text, sizeof failing - strlen(failing) - 1);
}

/* ---- operations whose events one of two threads harvests ---- */

struct io {
    void (*on)(struct io *, int result, int err);
    bool done;
    int result, err;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int stopping;

static void *harvest(void *unused)
{
    struct ioevent events[8];
    int n;

    while ((n = ioevent_wait(p, events, 8, NULL)) > 0) {
        int stops = 0;

        for (int i = 0; i < n; i++) {
            struct io *io = events[i].ioe_user;

            if (!io) {
                /* one is for each of the threads */
                if (stops++ > 0)
                    ioevent_write(p, &events[i], sizeof events[i]);
                continue;
            }
            if (io->on) {
                io->on(io, events[i].ioe_result, events[i].ioe_errno);
                continue;
            }
            pthread_mutex_lock(&lock);
            io->result = events[i].ioe_result;
            io->err = events[i].ioe_errno;
            io->done = true;
            pthread_cond_broadcast(&changed);
            pthread_mutex_unlock(&lock);
        }
        if (stops > 0)
            return NULL;
    }
    if (!__atomic_load_n(&stopping, __ATOMIC_SEQ_CST))
        fails("harvest", errno);
    return unused;
}

static void wait_for_event(const char *part, struct io *io)
{
    struct timespec end;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 8;
    pthread_mutex_lock(&lock);
    while (!io->done)
        if (pthread_cond_timedwait(&changed, &lock, &end) != 0) {
            dprintf(2, "%s: no event\n", part);
            _exit(1);
        }
    pthread_mutex_unlock(&lock);
    io->done = false;
}

/* The same. True if the operation worked, or failed for a reason of its own. */
static bool wait_for(const char *part, struct io *io)
{
    wait_for_event(part, io);
    if (io->result >= 0 || !is_refusal(io->err))
        return true;
    fails(part, io->err);
    return false;
}

/* The call has been queued, or failed because of the refusal. */
static bool queued(const char *part, ssize_t r)
{
    if (r == -1 && errno == EIOEVENTQUEUED)
        return true;
    CHECK(r == -1);
    fails(part, errno);
    return false;
}

#define RUN(part, io, call) (queued(part, call) && wait_for(part, io))

static bool attached(const char *part, int fd, struct io *io)
{
    if (ioevent_fcntl(fd, F_SETIOEVENTPIPE, p, (void *)io) == 0)
        return true;
    fails(part, errno);
    return false;
}

static void fill(char *buffer, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        buffer[i] = (char)(seed + i * 31 + i / 251);
}

/* ---- the parts ---- */

/* Echo: what a client sends comes back, whole and in order. */
struct conn {
    struct io io;
    int fd;
    bool writing;
    char buffer[65536];
};

static struct conn conns[CONNECTIONS];
static struct io listening_io;
static int listening, nconns;
static struct address where;

static void give_up(struct conn *conn, int err)
{
    fails("echo", err);
    shutdown(conn->fd, SHUT_RDWR);
}

static void conn_on(struct io *io, int result, int err)
{
    struct conn *conn = (struct conn *)io;
    ssize_t r;

    if (result <= 0) {
        if (is_refusal(err))
            give_up(conn, err);
        return;
    }
    conn->writing = !conn->writing;
    r = conn->writing ? ioevent_write(conn->fd, conn->buffer, (size_t)result)
                      : ioevent_read(conn->fd, conn->buffer, sizeof conn->buffer);
    if (r == -1 && errno != EIOEVENTQUEUED)
        give_up(conn, errno);
}

static void accept_on(struct io *io, int result, int err)
{
    struct conn *conn = &conns[nconns];

    (void)io;
    if (result < 0) {
        if (err == ECANCELED)
            return;
        /* who connects is not served */
        fails("accept", err);
        shutdown(listening, SHUT_RDWR);
        return;
    }
    nconns++;
    conn->fd = result;
    conn->io.on = conn_on;
    if (ioevent_fcntl(result, F_SETIOEVENTPIPE, p, (void *)conn) != 0
        || (ioevent_read(result, conn->buffer, sizeof conn->buffer) == -1 && errno != EIOEVENTQUEUED))
        give_up(conn, errno);
    if (nconns < CONNECTIONS && ioevent_accept(listening, NULL, NULL) == -1 && errno != EIOEVENTQUEUED) {
        fails("accept", errno);
        shutdown(listening, SHUT_RDWR);
    }
}

static int clients[CONNECTIONS];

static void *send_big(void *argument)
{
    static char big[BIG];
    int fd = *(int *)argument;

    fill(big, BIG, 7);
    for (size_t done = 0; done < BIG;) {
        ssize_t n = send(fd, big + done, BIG - done, MSG_NOSIGNAL);

        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return NULL;
}

static void echo(void)
{
    static char big[BIG], back[BIG];

    listening = listener(AF_INET, CONNECTIONS, &where);
    listening_io.on = accept_on;
    if (!attached("echo", listening, &listening_io) || !queued("accept", ioevent_accept(listening, NULL, NULL)))
        return;
    fill(big, BIG, 7);
    for (int i = 0; i < CONNECTIONS; i++) {
        int size = 8192;

        clients[i] = OK(socket(AF_INET, SOCK_STREAM, 0));
        OK(setsockopt(clients[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof size));
        if (connect(clients[i], SOCKADDR(&where), where.length) != 0) {
            CHECK(strstr(failing, "accept"));
            return;
        }
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        pthread_t sender;
        size_t done = 0;
        ssize_t n;

        SAME(pthread_create(&sender, NULL, send_big, &clients[i]), 0);
        while (done < BIG && (n = recv(clients[i], back + done, BIG - done, 0)) > 0)
            done += (size_t)n;
        shutdown(clients[i], done < BIG ? SHUT_RDWR : SHUT_WR);
        pthread_join(sender, NULL);
        /* what came is what was sent; less came only if something was refused */
        CHECK(memcmp(big, back, done) == 0);
        CHECK(done == BIG || strstr(failing, "echo") || strstr(failing, "accept"));
    }
}

static void file(void)
{
    static char big[BIG], back[BIG];
    struct io io = { 0 };
    int fd = OK(open(".", O_TMPFILE | O_RDWR, 0600)), sealed;
    bool written;

    fill(big, BIG, 3);
    if (attached("file", fd, &io)) {
        written = RUN("write", &io, ioevent_write(fd, big, BIG));
        if (written)
            SAME(io.result, BIG);
        if (RUN("fsync", &io, ioevent_fsync(fd)))
            SAME(io.result, 0);
        if (RUN("fdatasync", &io, ioevent_fdatasync(fd)))
            SAME(io.result, 0);
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        OK(lseek(fd, 1000, SEEK_SET));
        if (RUN("read", &io, ioevent_read(fd, back, BIG)) && written) {
            SAME(io.result, BIG - 1000);
            CHECK(memcmp(back, big + 1000, BIG - 1000) == 0);
        }
        if (RUN("pwrite", &io, ioevent_pwrite(fd, "changed", 7, 5000)))
            SAME(io.result, 7);
        if (RUN("pread", &io, ioevent_pread(fd, back, 100, 5000)) && written) {
            SAME(io.result, 100);
            CHECK(memcmp(back, "changed", 7) == 0 && memcmp(back + 7, big + 5007, 93) == 0);
        }
        if (RUN("pread", &io, ioevent_pread(fd, back, 100, BIG)))
            SAME(io.result, 0);
    }
    GIVES(ioevent_close(fd), 0);

    /* EPERM that is the file's own answer is that, whatever is refused. */
    sealed = OK(memfd_create("sealed", MFD_ALLOW_SEALING));
    OK(fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE));
    if (attached("file", sealed, &io)) {
        QUEUED(ioevent_write(sealed, big, 10));
        wait_for_event("file", &io);
        SAME(io.result, -1);
        SAME(io.err, EPERM);
    }
    GIVES(ioevent_close(sealed), 0);
}

/* Two ends of something with a way in and a way out. Both are closed. */
static void both_ways(const char *part, int in, int out)
{
    static char big[200000], back[200000];
    struct io reads = { 0 }, writes = { 0 };
    char few[16];

    fill(big, sizeof big, 5);
    if (attached(part, out, &reads) && queued(part, ioevent_read(out, few, sizeof few))) {
        OK(write(in, "abc", 3));
        if (wait_for(part, &reads)) {
            SAME(reads.result, 3);
            CHECK(memcmp(few, "abc", 3) == 0);
        }
    }
    ioevent_fcntl(out, F_SETIOEVENTPIPE, -1, (void *)NULL);
    fcntl(out, F_SETFL, 0);
    if (strstr(failing, part)) /* it may not have been read */
        while (ioctl(out, FIONREAD, &few) == 0 && *(int *)(void *)few > 0)
            OK(read(out, few, 1));
    if (attached(part, in, &writes) && queued(part, ioevent_write(in, big, sizeof big))) {
        struct pollfd there = { out, POLLIN, 0 };
        size_t done = 0;

        while (done < sizeof big) {
            ssize_t n;

            if (poll(&there, 1, 100) == 0) {
                CHECK(writes.done); /* it failed */
                break;
            }
            n = read(out, back + done, sizeof back - done);
            CHECK(n > 0);
            done += (size_t)n;
        }
        CHECK(memcmp(big, back, done) == 0);
        if (wait_for(part, &writes))
            SAME(writes.result, sizeof big);
    }
    close(out);
    /* nobody reads: no SIGPIPE, which would end this process */
    if (!strstr(failing, part) && RUN(part, &writes, ioevent_write(in, big, 100))) {
        SAME(writes.result, -1);
        SAME(writes.err, EPIPE);
    }
    GIVES(ioevent_close(in), 0);
}

static void pipes(void)
{
    char name[32];
    int ends[2], in, out;

    OK(pipe(ends));
    both_ways("pipe", ends[1], ends[0]);

    snprintf(name, sizeof name, "fifo.%d", getpid());
    SAME(mkfifo(name, 0600), 0);
    out = OK(open(name, O_RDONLY | O_NONBLOCK));
    in = OK(open(name, O_WRONLY));
    unlink(name);
    both_ways("fifo", in, out);
}

static void terminal(void)
{
    struct io io = { 0 };
    char line[16];
    int master, slave;

    if (openpty(&master, &slave, NULL, NULL, NULL) != 0)
        return;
    if (attached("terminal", slave, &io) && queued("terminal", ioevent_read(slave, line, sizeof line))) {
        OK(write(master, "line\n", 5));
        if (wait_for("terminal", &io)) {
            SAME(io.result, 5);
            CHECK(memcmp(line, "line\n", 5) == 0);
        }
    }
    while (!strstr(failing, "terminal") && read(master, line, 1) == 1 && line[0] != '\n')
        ; /* its echo */
    if (attached("terminal", master, &io) && queued("terminal", ioevent_read(master, line, sizeof line))) {
        OK(write(slave, "answer", 6));
        if (wait_for("terminal", &io)) {
            SAME(io.result, 6);
            CHECK(memcmp(line, "answer", 6) == 0);
        }
    }
    GIVES(ioevent_close(slave), 0);
    GIVES(ioevent_close(master), 0);
}

static void counter(void)
{
    struct io io = { 0 };
    int fd = OK(eventfd(0, 0));
    uint64_t n = 5, m = 0;

    if (attached("eventfd", fd, &io)) {
        if (RUN("eventfd", &io, ioevent_write(fd, &n, 8)))
            SAME(io.result, 8);
        else
            OK(write(fd, &n, 8));
        if (RUN("eventfd", &io, ioevent_read(fd, &m, 8)))
            SAME(m, 5);
    }
    GIVES(ioevent_close(fd), 0);
}

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
        OK(ioevent_fcntl(fd[0], F_SETIOEVENTTIMEO, &limit));
        if (RUN("timeout", &io, ioevent_read(fd[0], &c, 1))) {
            SAME(io.result, -1);
            SAME(io.err, ETIMEDOUT);
        }
    }
    ioevent_close(fd[0]);
    close(fd[1]);
}

static void transfers(void)
{
    static char big[BIG], back[BIG];
    struct io io = { 0 };
    int fd = OK(open(".", O_TMPFILE | O_RDWR, 0600)), ends[2], pair[2];
    off_t at = 0;

    fill(big, BIG, 9);
    SAME(write(fd, big, BIG), BIG);
    fsync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    OK(pipe(ends));
    CHECK(tcp_pair(AF_INET, pair));
    if (!attached("sendfile", pair[0], &io))
        goto out;
    if (queued("sendfile", ioevent_sendfile(pair[0], fd, &at, BIG))) {
        struct pollfd there = { pair[1], POLLIN, 0 };
        size_t done = 0;

        while (done < BIG) {
            ssize_t n;

            if (poll(&there, 1, 300) == 0) {
                CHECK(io.done);
                break;
            }
            n = read(pair[1], back + done, BIG - done);
            CHECK(n > 0);
            done += (size_t)n;
        }
        CHECK(memcmp(big, back, done) == 0);
        if (wait_for("sendfile", &io))
            SAME(io.result, BIG);
    }
    OK(write(ends[1], "through", 7));
    if (RUN("splice", &io, ioevent_splice(ends[0], NULL, pair[0], NULL, 7, 0))) {
        SAME(io.result, 7);
        SAME(recv(pair[1], back, 7, MSG_WAITALL), 7);
    }
    /* The peer goes with a reset: no SIGPIPE. */
    OK(setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger)));
    close(pair[1]);
    pair[1] = -1;
    for (int i = 0; i < 3 && !strstr(failing, "sendfile"); i++) {
        at = 0;
        if (!RUN("sendfile", &io, ioevent_sendfile(pair[0], fd, &at, BIG)))
            break;
        CHECK(io.result == -1 && (io.err == EPIPE || io.err == ECONNRESET));
    }
    OK(write(ends[1], "nobody", 6));
    if (!strstr(failing, "splice") && RUN("splice", &io, ioevent_splice(ends[0], NULL, pair[0], NULL, 6, 0)))
        CHECK(io.result == -1 && (io.err == EPIPE || io.err == ECONNRESET));
out:
    ioevent_close(pair[0]);
    if (pair[1] >= 0)
        close(pair[1]);
    close(ends[0]);
    close(ends[1]);
    close(fd);
}

static void messages(void)
{
    struct io io = { 0 }, other = { 0 };
    char few[16];
    struct iovec iov = { few, sizeof few };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    int fd[2];

    SAME(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd), 0);
    if (attached("datagram", fd[0], &io) && attached("datagram", fd[1], &other)) {
        if (RUN("send", &io, ioevent_send(fd[0], "one", 3, 0))) {
            if (RUN("recv", &other, ioevent_recv(fd[1], few, 9, 0)))
                SAME(other.result, 3);
            else
                SAME(recv(fd[1], few, 9, 0), 3);
        }
        memcpy(few, "three", 5);
        iov.iov_len = 5;
        if (RUN("sendmsg", &io, ioevent_sendmsg(fd[0], &msg, 0))) {
            iov.iov_len = sizeof few;
            if (RUN("recvmsg", &other, ioevent_recvmsg(fd[1], &msg, 0)))
                SAME(other.result, 5);
        }
        iov.iov_len = 5;
        if (RUN("writev", &io, ioevent_writev(fd[0], &iov, 1)) && RUN("recv", &other, ioevent_recv(fd[1], few, 9, 0)))
            SAME(other.result, 5);
    }
    ioevent_close(fd[0]);
    ioevent_close(fd[1]);
}

static void connecting(void)
{
    struct io io = { 0 };
    struct address a;
    int to = listener(AF_INET, 2, &a), fd = OK(socket(AF_INET, SOCK_STREAM, 0));

    if (attached("connect", fd, &io)) {
        if (RUN("connect", &io, ioevent_connect(fd, SOCKADDR(&a), a.length)))
            SAME(io.result, 0);
        if (RUN("poll", &io, ioevent_poll(fd, POLLOUT)))
            CHECK(io.result & POLLOUT);
        if (RUN("shutdown", &io, ioevent_shutdown(fd, SHUT_WR)))
            CHECK(io.result == 0 || io.err == ENOTCONN);
    }
    ioevent_close(fd);
    close(to);
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

        CHECK(dir);
        while ((entry = readdir(dir))) {
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

    if (strstr(failing, "recv") || !attached("progress", pair[0], &io)
        || !queued("progress", ioevent_read(pair[0], &c, 1)))
        return;
    idle("nobody harvests");
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

    /* Nobody harvests: what was queued goes on all the same. */
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
