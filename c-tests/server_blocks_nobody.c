/*
 * A file system that hangs (a process of the test is its server, and does not answer): whatever operation on its file
 * is under way, no call of the program waits, on whatever descriptor, the file's own among them; all is done when the
 * server answers: rule 5.5, rule 4.8. Needs root and FUSE.
 */
#include "test_calls.h"
#include "test_fuse.h"

enum { READ, PREAD, WRITE, PWRITE, FSYNC, SPLICE_OUT, SPLICE_IN, SENDFILE_OUT, SENDFILE_IN, SUBMIT_READ, KINDS };

static int p;

static void let_go(void)
{
    SET(fuse_control->let_go, 1);
}

static ssize_t queue(int kind, int fd, int disk, const int *in, const int *out)
{
    static char b[4096];

    switch (kind) {
    case READ: return ioevent_read(fd, b, sizeof b);
    case PREAD: return ioevent_pread(fd, b, sizeof b, 8192);
    case WRITE: return ioevent_write(fd, b, sizeof b);
    case PWRITE: return ioevent_pwrite(fd, b, sizeof b, 8192);
    case FSYNC: return ioevent_fsync(fd);
    case SPLICE_OUT: return ioevent_splice(fd, NULL, out[1], NULL, 4096, 0);
    case SPLICE_IN: return ioevent_splice(in[0], NULL, fd, NULL, 4096, 0);
    case SENDFILE_OUT: return ioevent_sendfile(out[1], fd, NULL, 4096);
    case SENDFILE_IN: return ioevent_sendfile(fd, disk, NULL, 4096);
    default:
        GIVES(ioevent_submit(&(struct ioevent_op){ .ioo_kind = IOEVENT_OP_READ, .ioo_fd = fd, .ioo_user = USER(1),
                                                   .ioo_buf = b, .ioo_len = sizeof b }, 1), 1);
        errno = EIOEVENTQUEUED;
        return -1;
    }
}

/* A thread that does by plain calls what an operation of this kind does while the server does not answer. */
static void *plain(void *arg)
{
    const int *kind_fd = arg;
    static char b[4096];

    if (kind_fd[0] == FSYNC)
        OK(fsync(kind_fd[1]));
    else
        SAME(pwrite(kind_fd[1], b, sizeof b, 0), sizeof b);
    return NULL;
}

static void *plain_close(void *fd)
{
    OK(close(*(int *)fd));
    return NULL;
}

/*
 * A plain close(2) of the file waits while plain calls write or synchronize it: so it is with older kernels (6.1),
 * which look for writes that are under way, behind the inode's lock, when a descriptor of FUSE is closed.
 */
static bool close_waits(int kind, const char *path)
{
    int kind_fd[2] = { kind, OK(open(path, O_RDWR | O_CLOEXEC)) }, copy = OK(dup(kind_fd[1]));
    struct timespec end;
    pthread_t t, closer;
    bool waits;

    SET(fuse_control->hold, FUSE_BIT(FUSE_WRITE) | FUSE_BIT(FUSE_FSYNC));
    t = start_thread(plain, kind_fd);
    FUSE_WAITING(1);
    closer = start_thread(plain_close, &copy);
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 1;
    waits = pthread_timedjoin_np(closer, NULL, &end) == ETIMEDOUT;
    SET(fuse_control->hold, 0);
    if (waits)
        ZERO(pthread_join(closer, NULL));
    ZERO(pthread_join(t, NULL));
    OK(close(kind_fd[1]));
    return waits;
}

static void run(int kind, const char *path, bool attach_file, bool no_close)
{
    int fd = OK(open(path, O_RDWR | O_CLOEXEC)), anew = OK(open(path, O_RDWR | O_CLOEXEC)), disk = disk_file();
    int in[2], out[2], attached = fd;
    static char block[4096];
    bool closes = attach_file && kind % 2 && !no_close, transfer = kind >= SPLICE_OUT && kind <= SENDFILE_IN;
    struct ioevent e;

    if (!attach_file && !transfer) {
        OK(close(fd));
        OK(close(anew));
        OK(close(disk));
        return;
    }
    SET(calls_kind, kind);
    calls_close_waits = no_close;
    fill_file(disk, 4096);
    OK(pipe2(in, O_CLOEXEC));
    SAME(write(in[1], block, 4096), 4096);
    if (kind == SENDFILE_OUT)
        CHECK(tcp_pair(AF_INET, out));
    else
        OK(pipe2(out, O_CLOEXEC));
    if (!attach_file)
        attached = kind == SPLICE_IN ? in[0] : kind == SENDFILE_IN ? disk : out[1];
    ATTACH(attached, p, 1);
    SET(fuse_control->hold, FUSE_BIT(FUSE_READ) | FUSE_BIT(FUSE_WRITE) | FUSE_BIT(FUSE_FSYNC));
    RETURNS(({ QUEUED(queue(kind, fd, disk, in, out)); 0; }));
    FUSE_WAITING(1);
    calls_on_others();
    calls_on_hundreds(p);
    calls_on_the_file(p, fd, anew);
    if (attach_file)
        calls_on_itself(p, fd, closes);
    else
        RETURNS(ioevent_fcntl(attached, F_SETIOEVENTPIPE, -1, NULL));
    SET(fuse_control->hold, 0);
    do
        e = HARVEST(p);
    while (e.ioe_user != USER(1));
    SAME(e.ioe_errno, 0);
    SAME(e.ioe_result, kind == FSYNC ? 0 : 4096);
    if (!closes)
        GIVES(ioevent_close(fd), 0);
    for (int i = 0; i < 2; i++) {
        if (no_close)
            GIVES(ioevent_close(calls_left[i]), 0);
        OK(close(in[i]));
        OK(close(out[i]));
    }
    OK(close(disk));
}

int main(void)
{
    const char *path = fuse_mount(false);
    int fd = OK(open(path, O_RDWR | O_CLOEXEC));
    bool no_close;
    struct stat s;

    /* what the kernel asks about once */
    OK(fstat(fd, &s));
    OK(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0));
    OK(close(OK(dup(fd))));
    /* whatever is held first: the calls that follow write and synchronize, too */
    no_close = close_waits(WRITE, path) || close_waits(FSYNC, path);
    if (no_close)
        fprintf(stderr, "skipped: closing the file, as a plain close waits\n");
    calls_let_go = let_go;
    ZERO(pthread_detach(start_thread(watch_calls, NULL)));
    signal(SIGHUP, SIG_IGN);
    p = OK(ioeventpipe(1 << 16));
    for (int kind = 0; kind < KINDS; kind++)
        for (int attach_file = 0; attach_file < 2; attach_file++)
            run(kind, path, attach_file, no_close);
    OK(close(fd));
    return 0;
}
