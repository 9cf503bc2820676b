/*
 * Files of /proc, /sys and cgroups that poll(2) can wait for but whose reads never wait: read to the end they give what
 * read(2) gives, whatever was polled or attached: rule 2.4, rule 4.1.
 */
#include "test_file.h"

static int p;

/* Reads to the end through the library; returns how much that was. */
static size_t read_queued(int fd, char *b, size_t size, bool by_position)
{
    size_t n = 0;

    for (;;) {
        struct ioevent e;
        ssize_t r = by_position ? ioevent_pread(fd, b + n, size - n, (off_t)n) : ioevent_read(fd, b + n, size - n);

        if (r == -1 && errno == EIOEVENTQUEUED) {
            e = HARVEST(p);
            CHECK(e.ioe_user == USER(1));
            SAME(e.ioe_errno, 0);
            r = e.ioe_result;
        }
        CHECK(r >= 0);
        if (r == 0)
            return n;
        n += (size_t)r;
        CHECK(n < size);
    }
}

static size_t read_plain(int fd, char *b, size_t size)
{
    size_t n = 0;
    ssize_t r;

    while ((r = read(fd, b + n, size - n)) > 0)
        n += (size_t)r;
    CHECK(r == 0 && n < size);
    return n;
}

static bool run(const char *path, bool nonblock, bool polled, bool by_position, bool changes)
{
    static char a[1 << 20], b[1 << 20];
    int fd = open(path, O_RDONLY | O_CLOEXEC | (nonblock ? O_NONBLOCK : 0)), plain = open(path, O_RDONLY | O_CLOEXEC);
    size_t n, m;

    if (fd == -1 || plain == -1)
        return false;
    ATTACH(fd, p, 1);
    if (polled)
        QUEUED(ioevent_poll(fd, POLLPRI));
    n = read_queued(fd, a, sizeof a, by_position);
    m = read_plain(plain, b, sizeof b);
    if (!changes) {
        SAME(n, m);
        CHECK(memcmp(a, b, n) == 0);
    }
    OK(lseek(fd, 0, SEEK_SET));
    SAME(read_queued(fd, a, sizeof a, by_position) > 0, m > 0);
    GIVES(ioevent_cancel(fd), polled);
    if (polled)
        EXPECT(p, 1, -1, ECANCELED);
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd), 0);
    OK(close(plain));
    return true;
}

int main(void)
{
    static const struct { const char *path; bool changes; } files[] = {
        { "/proc/self/mountinfo", false }, { "/proc/self/mounts", false }, { "/proc/swaps", false },
        { "/proc/sys/kernel/hostname", false }, { "/proc/mdstat", false }, { "/proc/pressure/cpu", true },
        { "/sys/kernel/mm/transparent_hugepage/enabled", false }, { "/sys/fs/cgroup/cgroup.procs", true },
        { "/sys/fs/cgroup/unified/cgroup.procs", true }, { "/proc/self/status", true }, { "/proc/version", false },
    };
    int n = 0;

    NEEDS_PROC();
    p = OK(ioeventpipe(8));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        for (int how = 0; how < 8; how++)
            n += run(files[i].path, how & 1, (how & 2) && i < 3, how & 4, files[i].changes);
    CHECK(n > 0);
    return 0;
}
