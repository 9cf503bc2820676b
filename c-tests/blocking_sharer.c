/*
 * A sharer of the open file that reads it with libc's blocking read is not disturbed by operations on the attached
 * descriptor: it never sees EAGAIN: rule 4.5. Where the kernel has no RWF_NOWAIT for pipes (before Linux 6.4) it may,
 * there.
 */
#include "test.h"
#include <linux/fs.h>
#include <sys/eventfd.h>

static int sharer, stop, failures;
static long reads;

static void *read_on(void *unused)
{
    char b[8];

    while (!GET(stop)) {
        TEST_HERE("blocking read of the sharer");
        if (read(sharer, b, 8) == -1) {
            SAME(errno, EAGAIN);
            ADD(failures, 1);
        }
        ADD(reads, 1);
    }
    return unused;
}

static bool has_nowait(int fd)
{
    char c;
    ssize_t n = syscall(SYS_preadv2, fd, &(struct iovec){ &c, 1 }, 1, -1L, -1L, RWF_NOWAIT);

    CHECK(n == -1 && (errno == EAGAIN || errno == EOPNOTSUPP));
    return errno == EAGAIN;
}

static void run(int fd, int other, const void *data, size_t size, bool is_disturbed)
{
    int p = OK(ioeventpipe(4));
    pthread_t t;
    char b[8];
    long first;

    SET(stop, 0);
    sharer = OK(dup(fd));
    ATTACH(fd, p, 1);
    t = start_thread(read_on, NULL);
    first = GET(reads);
    for (int i = 0; i < 2000 || GET(reads) < first + 20; i++) {
        struct ioevent e;

        QUEUED(ioevent_read(fd, b, 8)); /* tried at once, then parked, then tried at each edge */
        OK(write(other, data, size));
        if (ioevent_wait(p, &e, 1, &no_wait) == 0) {
            ioevent_cancel(fd);
            e = HARVEST(p);
        }
        CHECK(e.ioe_result > 0 || e.ioe_errno == ECANCELED);
        if (i > 100000)
            break; /* the library may be so quick that the other gets little */
    }
    SET(stop, 1);
    UNTIL((write(other, data, size), pthread_tryjoin_np(t, NULL) == 0));
    if (!is_disturbed)
        SAME(failures, 0);
    SET(failures, 0);
    GIVES(ioevent_close(fd), 0);
    GIVES(ioevent_close(p), 0);
    OK(close(sharer));
}

int main(void)
{
    int fd[2];
    uint64_t one = 1;
    char dir[] = "/tmp/ioevent-test-XXXXXX", path[64];

    unix_pair(fd);
    run(fd[0], fd[1], "x", 1, false);
    OK(pipe(fd));
    run(fd[0], fd[1], "x", 1, !has_nowait(fd[0]));
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/fifo", dir);
    OK(mkfifo(path, 0600));
    fd[0] = OK(open(path, O_RDWR));
    fd[1] = OK(open(path, O_WRONLY));
    run(fd[0], fd[1], "x", 1, false);
    OK(unlink(path));
    OK(rmdir(dir));
    fd[0] = OK(eventfd(0, EFD_SEMAPHORE));
    fd[1] = OK(dup(fd[0]));
    run(fd[0], fd[1], &one, 8, false);
    return 0;
}
