/* What sendfile refuses, with libc's errno, at once or in the event: rule 2.6. The offset is left as it was. */
#include "test_file.h"
#include <sys/sendfile.h>

static int p;

/* libc's sendfile fails, and ours with the same errno. */
static void refused(int out, int in, off_t offset, bool by_pointer, int err)
{
    off_t ours = offset, theirs = offset;

    FAILS(sendfile(out, in, by_pointer ? &theirs : NULL, 10), err);
    EITHER(ioevent_sendfile(out, in, by_pointer ? &ours : NULL, 10), p, 1, err);
    SAME(ours, offset);
}

static void from_and_to(int out, int other)
{
    int file = disk_file(), writes, s[2], x[2], closed = OK(dup(file)), path = OK(open("/", O_PATH | O_CLOEXEC));

    OK(close(closed));
    fill_file(file, 100);
    writes = reopen(file, O_WRONLY);
    unix_pair(s);
    OK(pipe2(x, O_CLOEXEC));
    OK(write(x[1], "abc", 3));
    OK(write(s[1], "abc", 3));
    ATTACH(out, p, 1);
    refused(out, -1, 0, true, EBADF);
    refused(out, closed, 0, true, EBADF);
    refused(out, path, 0, true, EBADF);
    refused(out, writes, 0, true, EBADF);
    refused(out, file, -1, true, EINVAL);
    refused(out, file, INT64_MIN, true, EINVAL);
    refused(out, s[0], 0, true, ESPIPE);
    refused(out, x[0], 0, true, ESPIPE);
    if (fcntl(out, F_GETPIPE_SZ) == -1) /* into pipes newer kernels can */
        refused(out, s[0], 0, false, EINVAL);
    if (!on_valgrind()) {
        off_t *bad = bad_memory();

        FAILS(sendfile(out, file, bad, 10), EFAULT);
        EITHER(ioevent_sendfile(out, file, bad, 10), p, 1, EFAULT);
    }
    SAME(position(file), 0);
    SAME(drain(other), 0);
    SAME(drain(x[0]), 3);
    SAME(drain(s[0]), 3);

    /* it still works */
    QUEUED(ioevent_sendfile(out, file, NULL, 10));
    EXPECT(p, 1, 10, 0);
    SAME(drain(other), 10);
    OK(close(file));
    OK(close(writes));
    OK(close(path));
    for (int i = 0; i < 2; i++) {
        OK(close(s[i]));
        OK(close(x[i]));
    }
    GIVES(ioevent_close(out), 0);
    OK(close(other));
}

int main(void)
{
    int fd[2], file, reads, append, dir;

    p = OK(ioeventpipe(4));
    for (int which = 0; which < STREAMS; which++)
        if (stream_pair(which, fd))
            from_and_to(fd[1], fd[0]);

    file = disk_file();
    fill_file(file, 100);
    reads = reopen(file, O_RDONLY);
    append = reopen(file, O_WRONLY | O_APPEND);
    dir = OK(open("/", O_RDONLY | O_DIRECTORY));
    ATTACH(reads, p, 1);
    refused(reads, file, 0, true, EBADF);
    ATTACH(append, p, 1);
    refused(append, file, 0, true, EINVAL);

    /* the source is attached, the destination is not, or is none */
    DETACH(reads);
    DETACH(append);
    ATTACH(file, p, 1);
    refused(reads, file, 0, true, EBADF);
    refused(-1, file, 0, true, EBADF);
    refused(INT_MAX, file, 0, true, EBADF);
    unix_pair(fd);
    refused(fd[0], file, -5, true, EINVAL);
    ATTACH(fd[0], p, 1);
    refused(fd[0], dir, 0, true, EINVAL);
    STAYS_QUIET(p);
    return 0;
}
