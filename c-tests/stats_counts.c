/*
 * ioevent_stats(3): each kind of operation is counted once, when it is queued, and its event when it is harvested; by a
 * thread that is the only one here, by one of several, and by one that never harvests. What is refused, given directly
 * or cancelled is counted as the manual says: rule 7.3.
 */
#include "test_file.h"
#include "test_stats.h"
#include <sys/sendfile.h>

static int p;

static void submit_timer(int to, long ns)
{
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = to, .ioo_user = USER(3),
                             .ioo_timeout = { ns / 1000000000, ns % 1000000000 } };

    GIVES(ioevent_submit(&op, 1), 1);
}

static void submit(int kind, int fd, void *buf, size_t len)
{
    struct ioevent_op op = { .ioo_kind = (unsigned short)kind, .ioo_fd = fd, .ioo_user = USER(4), .ioo_buf = buf,
                             .ioo_len = len };

    GIVES(ioevent_submit(&op, 1), 1);
}

/* One event is there, and is counted when it is harvested. */
static struct ioevent harvest(void)
{
    struct ioevent e;

    COUNTS(p, events, 1, e = HARVEST(p));
    COUNTED(p, places, 0);
    return e;
}

static void streams(int which)
{
    int fd[2], outside;
    char b[8] = { 0 };
    struct iovec iov = { b, 4 };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (!stream_pair(which, fd))
        return;
    outside = OK(dup(fd[1])); /* it is not attached */
    ATTACH(fd[0], p, 1);
    ATTACH(fd[1], p, 2);
    for (int i = 0; i < 3; i++) {
        /* done at once: there is something, and room */
        COUNTS(p, writes, 1, QUEUED(ioevent_write(fd[1], "abcd", 4)));
        COUNTED(p, places, 1);
        harvest();
        COUNTS(p, writes, 1, QUEUED(ioevent_send(fd[1], "abcd", 4, 0)));
        harvest();
        COUNTS(p, writes, 1, QUEUED(ioevent_writev(fd[1], &iov, 1)));
        harvest();
        COUNTS(p, writes, 1, QUEUED(ioevent_sendmsg(fd[1], &message, 0)));
        harvest();
        COUNTS(p, writes, 1, submit(IOEVENT_OP_WRITE, fd[1], b, 4));
        harvest();
        COUNTS(p, reads, 1, QUEUED(ioevent_read(fd[0], b, 4)));
        harvest();
        COUNTS(p, reads, 1, QUEUED(ioevent_recv(fd[0], b, 4, 0)));
        harvest();
        COUNTS(p, reads, 1, QUEUED(ioevent_readv(fd[0], &iov, 1)));
        harvest();
        COUNTS(p, reads, 1, QUEUED(ioevent_recvmsg(fd[0], &message, 0)));
        harvest();
        COUNTS(p, reads, 1, submit(IOEVENT_OP_READ, fd[0], b, 4));
        harvest();
        COUNTS(p, polls, 1, QUEUED(ioevent_poll(fd[1], POLLOUT)));
        harvest();

        /* what has to wait */
        COUNTS(p, reads, 1, QUEUED(ioevent_read(fd[0], b, sizeof b)));
        COUNTS(p, polls, 1, QUEUED(ioevent_poll(fd[0], POLLPRI)));
        COUNTED(p, places, 2);
        COUNTS(p, reads, 0, OK(write(outside, "abc", 3)));
        COUNTS(p, events, 1, EXPECT(p, 1, 3, 0));
        /* cancelled: counted when it was queued, and its event */
        COUNTS(p, events, 0, GIVES(ioevent_cancel(fd[0]), 1));
        COUNTS(p, events, 1, EXPECT(p, 1, -1, ECANCELED));
        COUNTS(p, polls, 1, QUEUED(ioevent_poll(fd[0], POLLIN)));
        OK(write(outside, "abc", 3));
        harvest();
        COUNTS(p, reads, 1, QUEUED(ioevent_read(fd[0], b, sizeof b)));
        harvest();
    }
    /* what is given directly is counted as such, and as nothing else */
    GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    GIVES(ioevent_fcntl(fd[1], F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    for (int i = 0; i < 3; i++) {
        COUNTS(p, inline, 1, GIVES(ioevent_write(fd[1], "abcd", 4), 4));
        UNTIL(poll(&(struct pollfd){ .fd = fd[0], .events = POLLIN }, 1, 0) == 1);
        COUNTS(p, inline, 1, GIVES(ioevent_poll(fd[0], POLLIN), POLLIN));
        QUIET(p); /* now the library knows that there is something */
        COUNTS(p, inline, 1, GIVES(ioevent_read(fd[0], b, 4), 4));
        COUNTS(p, reads, 1, QUEUED(ioevent_read(fd[0], b, 8)));
        OK(write(outside, "x", 1));
        harvest();
    }
    GIVES(ioevent_fcntl(fd[1], F_SETIOEVENTFLAGS, 0), 0);
    COUNTS(p, shutdowns, 1, QUEUED(ioevent_shutdown(fd[1], SHUT_WR)));
    harvest();
    COUNTED(p, attached, 2);
    GIVES(ioevent_close(fd[0]), 0);
    COUNTED(p, attached, 1);
    GIVES(ioevent_close(fd[1]), 0);
    OK(close(outside));
    COUNTED(p, attached, 0);
}

static void connections(void)
{
    struct address a;
    int l = listener(AF_INET, 8, &a), c;

    ATTACH(l, p, 5);
    for (int i = 0; i < 3; i++) {
        struct ioevent e;

        c = OK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        ATTACH(c, p, 6);
        /* waits, is there when it is asked for, and is submitted */
        if (i == 0)
            COUNTS(p, accepts, 1, QUEUED(ioevent_accept(l, NULL, NULL)));
        COUNTS(p, connects, 1, QUEUED(ioevent_connect(c, SOCKADDR(&a), a.length)));
        if (i == 1)
            COUNTS(p, accepts, 1, QUEUED(ioevent_accept4(l, NULL, NULL, SOCK_CLOEXEC)));
        if (i == 2)
            COUNTS(p, accepts, 1, submit(IOEVENT_OP_ACCEPT, l, NULL, 0));
        for (int k = 0; k < 2; k++) {
            COUNTS(p, events, 1, e = HARVEST(p));
            if (e.ioe_user != USER(6)) {
                CHECK(e.ioe_result >= 0);
                OK(close(e.ioe_result));
            }
        }
        GIVES(ioevent_close(c), 0);
    }
    GIVES(ioevent_close(l), 0);
}

static void others(void)
{
    int file = make_file(FILE_MEMORY), disk = disk_file(), pipefd[2], fd[2], pidfd;
    struct ioevent post[3] = { { USER(9), 9, 9 }, { USER(9), 9, 9 }, { USER(9), 9, 9 } };
    struct timespec soon = { 0, 1000000 };
    siginfo_t info;
    uint64_t empty, expired, jobs;
    off_t at = 0;
    pid_t pid;
    char b[8];

    OK(pipe2(pipefd, O_CLOEXEC));
    unix_pair(fd);
    ATTACH(file, p, 7);
    ATTACH(fd[1], p, 8);
    COUNTS(p, writes, 1, QUEUED(ioevent_pwrite(file, "abcd", 4, 0)));
    harvest();
    COUNTS(p, reads, 1, QUEUED(ioevent_pread(file, b, 4, 0)));
    harvest();
    COUNTS(p, syncs, 1, QUEUED(ioevent_fsync(file)));
    harvest();
    COUNTS(p, syncs, 1, QUEUED(ioevent_fdatasync(file)));
    harvest();
    /* to wait for the disk is a worker's job */
    ATTACH(disk, p, 7);
    jobs = stats_of(p).ios_jobs;
    COUNTS(p, syncs, 1, QUEUED(ioevent_fsync(disk)));
    harvest();
    COUNTED(p, jobs, jobs + 1);
    GIVES(ioevent_close(disk), 0);
    COUNTS(p, transfers, 1, QUEUED(ioevent_sendfile(fd[1], file, &at, 4)));
    harvest();
    OK(write(pipefd[1], "ab", 2));
    COUNTS(p, transfers, 1, QUEUED(ioevent_splice(pipefd[0], NULL, fd[1], NULL, 2, 0)));
    harvest();

    if (child(&pid))
        _exit(0);
    pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd >= 0) {
        ATTACH(pidfd, p, 9);
        COUNTS(p, waits, 1, QUEUED(ioevent_waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED)));
        harvest();
        GIVES(ioevent_close(pidfd), 0);
    } else {
        OK(waitpid(pid, NULL, 0));
    }

    COUNTS(p, posts, 3, GIVES(ioevent_write(p, post, sizeof post), sizeof post));
    COUNTED(p, places, 3);
    for (int i = 0; i < 3; i++)
        COUNTS(p, events, 1, HARVEST(p));

    /* timers: set, expired, and cancelled, which is neither */
    expired = stats_of(p).ios_expired;
    COUNTS(p, timers, 1, submit_timer(p, 1000000));
    HARVEST(p);
    COUNTED(p, expired, expired + 1);
    COUNTS(p, timers, 1, submit_timer(p, 3600000000000));
    COUNTS(p, expired, 0, GIVES(ioevent_cancel(p), 1));
    COUNTS(p, expired, 0, EXPECT(p, 3, -1, ECANCELED));

    /* looks that find nothing */
    empty = stats_of(p).ios_empty_looks;
    while (stats_of(p).ios_empty_looks == empty) /* an edge of the timers may be there still */
        COUNTS(p, events, 0, QUIET(p));
    empty = stats_of(p).ios_empty_looks;
    COUNTS(p, events, 0, GIVES(ioevent_wait(p, post, 1, &soon), 0));
    CHECK(stats_of(p).ios_empty_looks > empty);

    /* time limits: the operation is counted, and its event */
    GIVES(ioevent_fcntl(fd[1], F_SETIOEVENTTIMEO, &soon), 0);
    COUNTS(p, reads, 1, QUEUED(ioevent_read(fd[1], b, sizeof b)));
    COUNTS(p, events, 1, EXPECT(p, 8, -1, ETIMEDOUT));
    GIVES(ioevent_close(fd[1]), 0);
    GIVES(ioevent_close(file), 0);
    OK(close(fd[0]));
    OK(close(pipefd[0]));
    OK(close(pipefd[1]));
}

static void full(void)
{
    int q = OK(ioeventpipe(2)), fd[2], outside;
    char b[2][4];

    unix_pair(fd);
    outside = OK(dup(fd[1]));
    ATTACH(fd[0], q, 1);
    ATTACH(fd[1], q, 2);
    COUNTED(q, full, 0);
    COUNTED(q, capacity, 2);
    COUNTED(q, places_max, 0);
    for (int i = 0; i < 2; i++) {
        QUEUED(ioevent_read(fd[0], b[i], 4));
        COUNTED(q, places, i + 1);
        COUNTED(q, places_max, i + 1);
    }
    COUNTS(q, full, 1, FAILS(ioevent_read(fd[0], b[0], 4), EIOEVENTFULL));
    COUNTS(q, full, 1, FAILS(ioevent_write(fd[1], "abcd", 4), EIOEVENTFULL));
    COUNTS(q, full, 1, FAILS(ioevent_write(q, &(struct ioevent){ 0 }, sizeof(struct ioevent)), EIOEVENTFULL));
    COUNTED(q, places_max, 2);
    GIVES(ioevent_fcntl(q, F_SETIOEVENTSZ, 4), 4);
    COUNTED(q, capacity, 4);
    COUNTED(q, places_max, 2);
    COUNTS(q, writes, 1, QUEUED(ioevent_write(fd[1], "abcd", 4)));
    COUNTED(q, places_max, 3);
    for (int i = 0; i < 3; i++) {
        if (i == 1)
            OK(write(outside, "abcd", 4));
        HARVEST(q);
    }
    /* what was the most stays that, whatever becomes of the capacity */
    GIVES(ioevent_fcntl(q, F_SETIOEVENTSZ, 1), 1);
    COUNTED(q, places_max, 3);
    QUEUED(ioevent_read(fd[0], b[0], 4));
    FAILS(ioevent_read(fd[0], b[0], 4), EIOEVENTFULL);
    COUNTED(q, places_max, 3);
    COUNTED(q, places, 1);
    COUNTED(q, full, 4);
    GIVES(ioevent_close(q), 0);

    /* another pipe, maybe in the same memory, begins with nothing */
    q = OK(ioeventpipe(7));
    struct ioevent_stats s = stats_of(q), fresh = { .ios_capacity = 7 };

    CHECK(memcmp(&s, &fresh, sizeof s) == 0);
    GIVES(ioevent_close(q), 0);
    OK(close(fd[0]));
    OK(close(fd[1]));
    OK(close(outside));
}

static void *all(void *unused)
{
    for (int which = 0; which < STREAMS; which++)
        streams(which);
    connections();
    others();
    full();
    return unused;
}

/* It queues, and never harvests. */
static void *only_queue(void *fd)
{
    char b[4];

    COUNTS(p, writes, 1, QUEUED(ioevent_write(((int *)fd)[1], "abcd", 4)));
    COUNTS(p, reads, 1, QUEUED(ioevent_read(((int *)fd)[0], b, 4)));
    COUNTS(p, polls, 1, QUEUED(ioevent_poll(((int *)fd)[0], POLLOUT)));
    UNTIL(stats_of(p).ios_places == 3);
    return NULL;
}

int main(void)
{
    struct ioevent_stats stats;
    uint64_t before, events;
    int fd[2];

    p = OK(ioeventpipe(16));
    all(NULL);
    before = stats_of(p).ios_writes;
    /* From now on there are two threads; the counts of one that has ended are there. */
    ZERO(pthread_join(start_thread(all, NULL), NULL));
    SAME(stats_of(p).ios_writes, 2 * before);
    ZERO(pthread_join(start_thread(all, NULL), NULL));
    SAME(stats_of(p).ios_writes, 3 * before);
    all(NULL);
    SAME(stats_of(p).ios_writes, 4 * before);

    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    ATTACH(fd[1], p, 2);
    events = stats_of(p).ios_events;
    ZERO(pthread_join(start_thread(only_queue, fd), NULL));
    for (int i = 0; i < 3; i++)
        HARVEST(p);
    stats = stats_of(p);
    SAME(stats.ios_events, events + 3);
    SAME(stats.ios_events, all_queued(&stats));
    return 0;
}
