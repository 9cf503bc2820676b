/*
 * Files that are regular by stat(2) and that poll(2) can wait for (/proc/kmsg, trace_pipe of tracefs): a read gives
 * what is there, or waits; while it waits it costs next to nothing and can be ended in every way: rule 2.4, rule 3.7,
 * rule 4.3, rule 4.6, rule 4.7. Needs root.
 */
#include "test_mounts.h"
#include "test_spin.h"

enum { KMSG, TRACE, FILES_HERE };
enum { CANCEL, LIMIT, DETACHED, CLOSED, PIPE_CLOSED, HOWS };
enum { READ, READV, PREAD, SUBMIT, CALLS };

static char b[1 << 20], trace[PATH_MAX];
static int feeder = -1;

static int open_file(int which)
{
    char path[PATH_MAX + 20];
    struct stat s;
    int fd;

    if (feeder >= 0)
        OK(close(feeder));
    if (which == KMSG) {
        feeder = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
        fd = open("/proc/kmsg", O_RDONLY | O_CLOEXEC);
    } else {
        snprintf(path, sizeof path, "%s/trace_marker", trace);
        feeder = open(path, O_WRONLY | O_CLOEXEC);
        snprintf(path, sizeof path, "%s/trace_pipe", trace);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (feeder == -1 || fd == -1)
        return -1;
    OK(fstat(fd, &s));
    CHECK(S_ISREG(s.st_mode));
    return fd;
}

static void feed(void)
{
    GIVES(write(feeder, "ioevent test\n", 13), 13);
}

/* Takes all that is there. */
static void empty_file(int fd)
{
    int flags = OK(fcntl(fd, F_GETFL));

    OK(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
    while (read(fd, b, sizeof b) > 0) {}
    CHECK(errno == EAGAIN);
    OK(fcntl(fd, F_SETFL, flags));
}

static ssize_t read_by(int call, int fd)
{
    static struct iovec iov[2] = { { b, 4000 }, { b + 4000, sizeof b - 4000 } };
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_READ, .ioo_fd = fd, .ioo_user = USER(1), .ioo_buf = b,
                             .ioo_len = sizeof b };

    switch (call) {
    case READV: return ioevent_readv(fd, iov, 2);
    case PREAD: return ioevent_pread(fd, b, sizeof b, 0);
    case SUBMIT:
        GIVES(ioevent_submit(&op, 1), 1);
        errno = EIOEVENTQUEUED;
        return -1;
    default: return ioevent_read(fd, b, sizeof b);
    }
}

/* Queues a read that waits: again, if the kernel had a message of its own to tell. */
static void queue_waiting(int call, int fd, int p)
{
    struct timespec t = { 0, 50000000 };
    struct ioevent e;
    int n;

    for (;;) {
        empty_file(fd);
        QUEUED(read_by(call, fd));
        n = ioevent_wait(p, &e, 1, &t);
        if (n == 0)
            return;
        SAME(n, 1);
        CHECK(e.ioe_result > 0);
    }
}

/* Feeds it until the event of the read is there; what was read has the text. */
static void feed_and_expect(int p)
{
    struct timespec t = { 0, 500000000 };
    struct ioevent e;

    do
        feed();
    while (ioevent_wait(p, &e, 1, &t) == 0); /* another reader of the machine's log may have taken it */
    CHECK(e.ioe_user == USER(1));
    CHECK(e.ioe_result >= 13 && e.ioe_errno == 0);
}

static void run(int which, int call, bool nonblock)
{
    int fd = open_file(which), p = OK(ioeventpipe(4)), q = OK(ioeventpipe(4));
    struct ioevent e;

    if (fd == -1) {
        fprintf(stderr, "file %d is not there\n", which);
        return;
    }
    set_nonblock(fd, nonblock);
    ATTACH(fd, p, 1);

    /* something there: it is given, whatever room there is for more */
    empty_file(fd);
    feed();
    QUEUED(read_by(call, fd));
    e = HARVEST(p);
    CHECK(e.ioe_user == USER(1) && e.ioe_result > 0 && e.ioe_errno == 0);

    /* nothing there */
    queue_waiting(call, fd, p);
    if (which == TRACE) {
        IDLE(p, 100);
        IDLE_ALONE(100);
    }
    feed_and_expect(p);
    SAME(!!(fcntl(fd, F_GETFL) & O_NONBLOCK), nonblock);

    /* in order */
    queue_waiting(READ, fd, p);
    QUEUED(ioevent_read(fd, b + 65536, 65536));
    feed_and_expect(p);
    feed_and_expect(p);

    /* poll */
    empty_file(fd);
    QUEUED(ioevent_poll(fd, POLLIN));
    feed();
    e = HARVEST(p);
    CHECK(e.ioe_result & POLLIN);

    for (int how = 0; how < HOWS; how++) {
        ATTACH(fd, p, 1);
        if (how == LIMIT)
            GIVES(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &(struct timespec){ 0, 200000000 }), 0);
        queue_waiting(call, fd, p);
        switch (how) {
        case CANCEL:
            GIVES(ioevent_cancel(fd), 1);
            EXPECT(p, 1, -1, ECANCELED);
            break;
        case LIMIT:
            EXPECT(p, 1, -1, ETIMEDOUT);
            GIVES(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &no_wait), 0);
            break;
        case DETACHED:
            DETACH(fd);
            EXPECT(p, 1, -1, ECANCELED);
            break;
        case CLOSED:
            GIVES(ioevent_close(fd), 0);
            EXPECT(p, 1, -1, ECANCELED);
            fd = open_file(which);
            set_nonblock(fd, nonblock);
            break;
        default:
            GIVES(ioevent_close(p), 0);
            break;
        }
        if (how != PIPE_CLOSED)
            STAYS_QUIET(p);
    }
    ATTACH(fd, q, 2);
    GIVES(ioevent_close(fd), 0);
    GIVES(ioevent_close(q), 0);
}

int main(void)
{
    bool any = false;
    char instance[80];

    NEEDS_PROC();
    have_kernel_log_alone();
    if (own_mounts() && mount("t", MOUNT_POINT, "tracefs", 0, NULL) == 0) {
        snprintf(instance, sizeof instance, MOUNT_POINT "/instances/ioevent-%d", (int)getpid());
        if (mkdir(instance, 0700) == 0)
            snprintf(trace, sizeof trace, "%s", instance);
    }
    for (int which = FILES_HERE - 1; which >= 0; which--) {
        int fd = open_file(which);

        if (fd == -1)
            continue;
        any = true;
        OK(close(fd));
        for (int call = 0; call < CALLS; call++)
            if (which == KMSG || call != PREAD) /* trace_pipe has no places: ESPIPE */
                run(which, call, (call + which) % 2);
    }
    if (*trace) {
        OK(close(feeder));
        feeder = -1;
        rmdir(trace);
    }
    if (!any)
        SKIP("no file of this kind can be opened");
    return 0;
}
