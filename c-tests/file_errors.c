/*
 * What a file refuses: the wrong access, calls of sockets, more than the limit; what was done before an error counts:
 * rule 2.6, rule 2.4.
 */
#include "test_file.h"

static int p;

static void access_mode(int file)
{
    int reads = reopen(file, O_RDONLY), writes = reopen(file, O_WRONLY);
    char b[8] = "";
    struct iovec iov = { b, sizeof b };
    volatile int many = 5000, few = -1;

    ATTACH(reads, p, 1);
    ATTACH(writes, p, 2);
    EITHER(ioevent_write(reads, b, 1), p, 1, EBADF);
    EITHER(ioevent_writev(reads, &iov, 1), p, 1, EBADF);
    EITHER(ioevent_read(writes, b, 1), p, 2, EBADF);
    EITHER(ioevent_readv(writes, &iov, 1), p, 2, EBADF);
    EITHER(ioevent_recv(reads, b, 1, 0), p, 1, ENOTSOCK);
    EITHER(ioevent_send(writes, b, 1, 0), p, 2, ENOTSOCK);
    EITHER(ioevent_accept(reads, NULL, NULL), p, 1, ENOTSOCK);
    EITHER(ioevent_readv(reads, &iov, many), p, 1, EINVAL);
    if (!on_valgrind())
        EITHER(ioevent_readv(reads, &iov, few), p, 1, EINVAL);
    GIVES(ioevent_close(reads), 0);
    GIVES(ioevent_close(writes), 0);
}

/* A write that crosses the limit is done up to it. */
static void limit(int which)
{
    struct rlimit before, low;
    int fd = make_file(which);
    static char b[8192];

    ATTACH(fd, p, 3);
    OK(getrlimit(RLIMIT_FSIZE, &before));
    low = (struct rlimit){ 6000, before.rlim_max };
    OK(setrlimit(RLIMIT_FSIZE, &low));
    QUEUED(ioevent_write(fd, b, sizeof b));
    EXPECT(p, 3, 6000, 0);
    QUEUED(ioevent_write(fd, b, sizeof b));
    EXPECT(p, 3, -1, EFBIG);
    QUEUED(ioevent_pwrite(fd, b, 10, 7000));
    EXPECT(p, 3, -1, EFBIG);
    OK(setrlimit(RLIMIT_FSIZE, &before));
    QUEUED(ioevent_write(fd, b, sizeof b));
    EXPECT(p, 3, sizeof b, 0);
    SAME(position(fd), 6000 + (off_t)sizeof b);
    GIVES(ioevent_close(fd), 0);
}

/* Memory that may not be touched: EFAULT, or the part before it. */
static void fault(int which)
{
    int fd = make_file(which);
    char *map = mmap(NULL, 3 * 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(map != MAP_FAILED);
    OK(mprotect(map + 65536, 65536, PROT_NONE));
    fill_file(fd, 3 * 65536);
    ATTACH(fd, p, 4);
    for (int cold = 0; cold < 2; cold++) {
        if (cold)
            uncache(fd);
        QUEUED(ioevent_pread(fd, map + 65536, 4096, 0));
        EXPECT(p, 4, -1, EFAULT);
        QUEUED(ioevent_read(fd, map, 3 * 65536));
        EXPECT(p, 4, 65536, 0);
        CHECK(is_pattern(map, 0, 65536));
        SAME(position(fd), 65536);
        OK(lseek(fd, 0, SEEK_SET));
    }
    QUEUED(ioevent_write(fd, map + 65536, 4096));
    EXPECT(p, 4, -1, EFAULT);
    SAME(position(fd), 0);
    QUEUED(ioevent_write(fd, map, 3 * 65536));
    EXPECT(p, 4, 65536, 0);
    CHECK(holds_pattern(fd, 3 * 65536));
    GIVES(ioevent_close(fd), 0);
}

int main(void)
{
    p = OK(ioeventpipe(8));
    access_mode(disk_file());
    signal(SIGXFSZ, SIG_IGN);
    for (int which = 0; which < FILES; which++) {
        limit(which);
        if (!on_valgrind()) /* which reports the bad pointers */
            fault(which);
    }
    STAYS_QUIET(p);
    return 0;
}
