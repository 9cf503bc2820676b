/*
 * A file system that hangs altogether (a process of the test is its server, and answers nothing, not even what stat(2)
 * asks): to attach its file, to queue on it, to poll, cancel and detach do not wait for it, and other
 * descriptors go on; all that was queued ends when the server answers: rule 5.5, rule 2.2. (close(2) of such a file
 * waits by itself.) Needs root and FUSE.
 */
#include "test_calls.h"
#include "test_fuse.h"

static int p;

static void let_go(void)
{
    SET(fuse_control->let_go, 1);
}

/* Counts what was queued. */
static int queued;

#define QUEUES(call) RETURNS(({ if ((call) == -1 && errno == EIOEVENTQUEUED) queued++; 0; }))

static void run(const char *path, bool attached_before, int flags)
{
    int fd = OK(open(path, O_RDWR | O_CLOEXEC | flags)), copy = OK(dup(fd)), disk = disk_file(), x[2], y[2], s[2];
    static char b[4096];
    struct ioevent e;
    struct timespec limit = { 0, 0 };

    fill_file(disk, 4096);
    OK(pipe2(x, O_CLOEXEC));
    OK(pipe2(y, O_CLOEXEC));
    unix_pair(s);
    OK(write(x[1], "0123456789", 10));
    queued = 0;
    if (attached_before)
        ATTACH(fd, p, 1);
    SET(fuse_control->hold, ~0ull);
    RETURNS(ioevent_fcntl(fd, F_SETIOEVENTPIPE, p, USER(1)));
    RETURNS(ioevent_fcntl(copy, F_SETIOEVENTPIPE, p, USER(2)));
    RETURNS(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &limit));
    RETURNS(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE));
    QUEUES(ioevent_pread(fd, b, 512, 0));
    RETURNS(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, 0));
    QUEUES(ioevent_poll(fd, POLLIN));
    QUEUES(ioevent_read(fd, b + 512, 512));
    QUEUES(ioevent_write(fd, b + 1024, 512));
    QUEUES(ioevent_pread(copy, b + 1536, 512, 0));
    QUEUES(ioevent_pwrite(copy, b + 2048, 512, 0));
    QUEUES(ioevent_fsync(fd));
    QUEUES(ioevent_splice(fd, NULL, y[1], NULL, 8, 0));
    QUEUES(ioevent_splice(x[0], NULL, copy, NULL, 8, 0));
    QUEUES(ioevent_sendfile(copy, disk, NULL, 8));
    QUEUES(ioevent_sendfile(s[1], copy, NULL, 8));
    calls_on_others();
    RETURNS(ioevent_fcntl(fd, F_GETIOEVENTPIPE, &(int){ 0 }, &(void *){ 0 }));
    RETURNS(ioevent_cancel2(fd, IOEVENT_CANCEL_POLL, NULL));
    RETURNS(ioevent_fcntl(copy, F_SETIOEVENTPIPE, -1, NULL));
    RETURNS(ioevent_cancel(fd));
    RETURNS(ioevent_wait(p, &e, 1, &no_wait) == 1 && queued--);
    SET(fuse_control->hold, 0);
    while (queued > 0) {
        e = HARVEST(p);
        CHECK(e.ioe_result >= 0 || e.ioe_errno == ECANCELED || e.ioe_errno == EINVAL);
        queued--;
    }
    STAYS_QUIET(p);
    DETACH(fd);
    OK(close(fd));
    OK(close(copy));
    OK(close(disk));
    for (int i = 0; i < 2; i++) {
        OK(close(x[i]));
        OK(close(y[i]));
        OK(close(s[i]));
    }
}

int main(void)
{
    const char *path = fuse_mount(true);
    int fd = OK(open(path, O_RDWR | O_CLOEXEC));

    OK(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0)); /* asked once: it has no answer of its own */
    OK(close(fd));
    calls_let_go = let_go;
    ZERO(pthread_detach(start_thread(watch_calls, NULL)));
    p = OK(ioeventpipe(4096));
    for (int i = 0; i < 4; i++)
        run(path, i % 2, i / 2 ? O_NONBLOCK : 0);
    return 0;
}
