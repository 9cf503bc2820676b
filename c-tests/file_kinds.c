/*
 * Character devices, directories and files of /proc can be attached: rule 4.1. What they do is what the blocking call
 * does, rule 2.4; errors of the I/O come in the event, rule 2.6.
 */
#include "test_file.h"

static int p;

static void devices(void)
{
    int null = OK(open("/dev/null", O_RDWR)), zero = OK(open("/dev/zero", O_RDWR)), full = open("/dev/full", O_RDWR);
    char b[100];
    static char large[1 << 20];

    ATTACH(null, p, 1);
    QUEUED(ioevent_write(null, "abc", 3));
    EXPECT(p, 1, 3, 0);
    QUEUED(ioevent_read(null, b, sizeof b));
    EXPECT(p, 1, 0, 0);
    QUEUED(ioevent_poll(null, POLLIN));
    EXPECT(p, 1, POLLIN, 0);
    ATTACH(zero, p, 2);
    memset(b, 1, sizeof b);
    memset(large, 1, sizeof large);
    QUEUED(ioevent_read(zero, b, sizeof b));
    EXPECT(p, 2, sizeof b, 0);
    CHECK(is_all(b, 0, sizeof b));
    QUEUED(ioevent_read(zero, large, sizeof large));
    EXPECT(p, 2, sizeof large, 0);
    CHECK(is_all(large, 0, sizeof large));
    QUEUED(ioevent_write(zero, large, sizeof large));
    EXPECT(p, 2, sizeof large, 0);
    QUEUED(ioevent_pread(zero, b, 10, 12345));
    EXPECT(p, 2, 10, 0);
    if (full >= 0) {
        ATTACH(full, p, 3);
        QUEUED(ioevent_write(full, "abc", 3));
        EXPECT(p, 3, -1, ENOSPC);
        GIVES(ioevent_close(full), 0);
    }
    GIVES(ioevent_close(null), 0);
    GIVES(ioevent_close(zero), 0);
}

static void directory(void)
{
    int fd = OK(open("/", O_RDONLY | O_DIRECTORY));
    char b[8] = "";

    ATTACH(fd, p, 4);
    QUEUED(ioevent_read(fd, b, sizeof b));
    EXPECT(p, 4, -1, EISDIR);
    EITHER(ioevent_write(fd, b, sizeof b), p, 4, EBADF);
    GIVES(ioevent_close(fd), 0);
}

/* Read until the end, in pieces: the same text. */
static void proc(const char *path, size_t piece)
{
    int fd = OK(open(path, O_RDONLY)), result = 1;
    static char ours[65536], theirs[65536];
    size_t n = 0, m = 0;
    ssize_t r;

    ATTACH(fd, p, 5);
    while (result > 0) {
        CHECK(n + piece <= sizeof ours);
        QUEUED(ioevent_read(fd, ours + n, piece));
        result = HARVEST(p).ioe_result;
        CHECK(result >= 0 && (size_t)result <= piece);
        n += (size_t)result;
    }
    GIVES(ioevent_close(fd), 0);
    fd = OK(open(path, O_RDONLY));
    while ((r = OK(read(fd, theirs + m, sizeof theirs - m))) > 0)
        m += (size_t)r;
    OK(close(fd));
    SAME(n, m);
    CHECK(n > 0 && memcmp(ours, theirs, n) == 0);
}

int main(void)
{
    int fd;

    p = OK(ioeventpipe(8));
    devices();
    directory();
    if (!has_no_proc()) {
        proc("/proc/version", 4096);
        proc("/proc/version", 7);
        proc("/proc/self/limits", 1000);
        proc("/proc/filesystems", 32768);
    }

    /* a file is always ready */
    fd = disk_file();
    ATTACH(fd, p, 6);
    QUEUED(ioevent_poll(fd, POLLIN | POLLOUT));
    EXPECT(p, 6, POLLIN | POLLOUT, 0);
    QUEUED(ioevent_poll(fd, POLLOUT | POLLPRI));
    EXPECT(p, 6, POLLOUT, 0);
    STAYS_QUIET(p);
    return 0;
}
