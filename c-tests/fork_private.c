/*
 * A forked child holds no descriptor but those that its parent opened: none of the library's copies, nor of the files
 * that it has open for itself; a peer sees the end when those who know of it have closed: rules 5.2, 5.5. However the
 * memory was copied: without fork(3) from the first call on.
 */
#include "test_fds.h"

enum { NUMBERS = 1024 };

static bool mine[NUMBERS]; /* what the program has opened */
static int p, q, ends[64], nends;

static int my(int fd)
{
    CHECK(fd >= 0 && fd < NUMBERS);
    mine[fd] = true;
    return fd;
}

static void my_pair(int fd[2])
{
    my(fd[0]);
    my(fd[1]);
}

/* The child knows only this: it is to be at its end when all that the program knows of is closed. */
static void must_end(int fd)
{
    ends[nends++] = fd;
}

static char buffers[16][64];
static int to_close[16], nto_close;

static void begin(int flags)
{
    int fd[2], to[2], file, master;
    const char *dir = getenv("TMPDIR");
    char path[PATH_MAX];
    struct ioevent_op timer = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_timeout = { 3600, 0 } };

    p = my(OK(ioeventpipe(64)));
    q = my(OK(ioeventpipe2(64, flags)));
    timer.ioo_fd = p;
    GIVES(ioevent_submit(&timer, 1), 1);

    /* splices that belong to their source, and to their destination: a copy of the other one */
    OK(pipe2(fd, O_CLOEXEC));
    unix_pair(to);
    my_pair(fd), my_pair(to);
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_splice(fd[0], NULL, to[0], NULL, 100, 0));
    must_end(to[1]);
    to_close[nto_close++] = fd[0], to_close[nto_close++] = to[0];
    OK(pipe2(to, O_CLOEXEC));
    my_pair(to);
    ATTACH(to[1], q, 1);
    fill_up(to[1]); /* nothing fits: it waits */
    file = my(OK(memfd_create("test", MFD_CLOEXEC)));
    OK(write(file, "some", 4));
    OK(lseek(file, 0, SEEK_SET));
    QUEUED(ioevent_sendfile(to[1], file, NULL, 4));
    to_close[nto_close++] = to[1];
    must_end(to[0]);

    /* a FIFO and pipes, read and written */
    snprintf(path, sizeof path, "%s/ioevent-fifo-%d", dir && *dir ? dir : "/tmp", getpid());
    OK(mkfifo(path, 0600));
    fd[0] = OK(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    fd[1] = OK(open(path, O_WRONLY | O_CLOEXEC));
    set_nonblock(fd[0], false);
    OK(unlink(path));
    my_pair(fd);
    ATTACH(fd[0], p, 2);
    QUEUED(ioevent_read(fd[0], buffers[0], 64));
    to_close[nto_close++] = fd[0];
    must_end(fd[1]);
    for (int i = 0; i < 2; i++) {
        OK(pipe2(fd, O_CLOEXEC));
        my_pair(fd);
        ATTACH(fd[i], i ? q : p, 3);
        if (i) {
            fill_up(fd[1]);
            QUEUED(ioevent_write(fd[1], "more", 4));
        } else {
            QUEUED(ioevent_read(fd[0], buffers[1], 64));
        }
        to_close[nto_close++] = fd[i];
        must_end(fd[!i]);
    }

    /* a terminal */
    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master != -1 && grantpt(master) == 0 && unlockpt(master) == 0) {
        int slave = OK(open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC));

        my(master), my(slave);
        ATTACH(slave, p, 4);
        QUEUED(ioevent_read(slave, buffers[2], 64));
        to_close[nto_close++] = slave;
        must_end(master);
    }

    /* sockets, an eventfd, polls */
    CHECK(tcp_pair(AF_INET, fd));
    my_pair(fd);
    ATTACH(fd[0], q, 5);
    QUEUED(ioevent_read(fd[0], buffers[3], 64));
    QUEUED(ioevent_poll(fd[0], POLLPRI));
    to_close[nto_close++] = fd[0];
    must_end(fd[1]);
    fd[0] = my(OK(eventfd(0, EFD_CLOEXEC)));
    ATTACH(fd[0], p, 6);
    QUEUED(ioevent_read(fd[0], buffers[4], 8));
    to_close[nto_close++] = fd[0];
    /* a file, with the threads that wait for disks */
    ATTACH(file, p, 7);
    QUEUED(ioevent_fsync(file));
    EXPECT(p, 7, 0, 0);
    to_close[nto_close++] = file;
    STAYS_QUIET(p);
    STAYS_QUIET(q);
}

/* Every open number is the program's, or can do nothing. */
static void only_mine(void)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    struct rlimit limit;

    OK(getrlimit(RLIMIT_NOFILE, &limit));
    CHECK(dir != NULL);
    while ((entry = readdir(dir))) {
        int n = atoi(entry->d_name);
        char path[64], to[128];
        ssize_t length;

        if (entry->d_name[0] == '.' || n == dirfd(dir) || (n < NUMBERS && mine[n]))
            continue;
        if (on_valgrind() && (rlim_t)n >= limit.rlim_cur)
            continue; /* its own */
        if ((fcntl(n, F_GETFL) & O_PATH) && fcntl(n, F_GETFD) == FD_CLOEXEC)
            continue;
        snprintf(path, sizeof path, "/proc/self/fd/%d", n);
        length = readlink(path, to, sizeof to - 1);
        dprintf(2, "the child has number %d, %.*s\n", n, (int)(length > 0 ? length : 0), to);
        _exit(1);
    }
    closedir(dir);
    CHECK(fcntl(p, F_GETFL) & O_PATH);
    CHECK(fcntl(q, F_GETFL) & O_PATH);
}

static bool at_end(int fd)
{
    struct pollfd ready = { .fd = fd };

    return OK(poll(&ready, 1, 0)) == 1 && (ready.revents & (POLLHUP | POLLERR));
}

static bool has_end(int fd)
{
    char b[4096];

    return at_end(fd) || recv(fd, b, sizeof b, MSG_DONTWAIT) == 0;
}

static void run(int how, int flags)
{
    int tell[2], pid;
    char c;

    nends = nto_close = 0;
    memset(mine, 0, sizeof mine);
    for (int n = 0; n < NUMBERS; n++) /* what was inherited */
        mine[n] = is_open(n);
    OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, tell));
    my_pair(tell);
    begin(flags);
    pid = fork_by(how);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (how != FORK)
            ATTACHED(tell[1], -1, 0); /* the first call */
        only_mine();
        for (int n = 3; n < NUMBERS; n++)
            if (mine[n] && n != tell[1])
                close(n);
        OK(write(tell[1], "", 1));
        read_all(tell[1], &c, 1); /* it lives until everybody has looked */
        pipe_works(OK(ioeventpipe(16)));
        _exit(0);
    }
    OK(close(tell[1]));
    mine[tell[1]] = false;
    read_all(tell[0], &c, 1);
    for (int i = 0; i < nto_close; i++)
        GIVES(ioevent_close(to_close[i]), 0);
    for (int i = 0; i < nends; i++)
        UNTIL(has_end(ends[i]));
    OK(write(tell[0], "", 1));
    CHILD_PASSED(pid);
    GIVES(ioevent_close(p), 0);
    GIVES(ioevent_close(q), 0);
    for (int n = 3; n < NUMBERS; n++)
        if (mine[n])
            close(n);
}

int main(void)
{
    NEEDS_PROC();
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    for (int how = 0; how < FORK_WAYS; how++) {
        run(how, 0);
        run(how, O_NONBLOCK);
    }
    return 0;
}
