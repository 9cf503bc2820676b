/* More than 0x7ffff000 bytes are cut to that, as the kernel does: rule 2.4. */
#include "test.h"

static const size_t most = 0x7ffff000;
static int reading;

static void *reader(void *unused)
{
    static char block[1 << 20];
    size_t total = 0;

    for (ssize_t n; (n = read(reading, block, sizeof block)) > 0;)
        total += (size_t)n;
    SAME(total, most);
    return unused;
}

int main(void)
{
    size_t sizes[] = { most, most + 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x100000001 };
    int p = OK(ioeventpipe(4)), fd[2];
    char *large;

    if (on_valgrind())
        SKIP("memcheck keeps books on every byte");
    large = mmap(NULL, 0x100001000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (large == MAP_FAILED)
        SKIP("no room for 4 GB of addresses");

    /* reads and the like take what is there */
    for (int which = 0; which < STREAMS; which++) {
        if (!stream_pair(which, fd))
            continue;
        ATTACH(fd[0], p, 1);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            struct iovec iov[2] = { { large, sizes[i] }, { large, sizes[i] } };

            QUEUED(ioevent_read(fd[0], large, sizes[i]));
            if (i % 2)
                QUIET(p);
            OK(write(fd[1], "abc", 3));
            EXPECT(p, 1, 3, 0);
            QUEUED(ioevent_readv(fd[0], iov, 2));
            OK(write(fd[1], "defg", 4));
            EXPECT(p, 1, 4, 0);
            if (which == STREAM_PIPE)
                continue;
            QUEUED(ioevent_recv(fd[0], large, sizes[i], 0));
            OK(write(fd[1], "hi", 2));
            EXPECT(p, 1, 2, 0);
        }
        GIVES(ioevent_close(fd[0]), 0);
        OK(close(fd[1]));
    }

    /* a write takes this many and no more */
    for (int vector = 0; vector < 2; vector++) {
        struct iovec iov[3] = { { large, 0x40000000 }, { large, 0x3fffff00 }, { large, 0x40000000 } };
        pthread_t t;

        unix_pair(fd);
        reading = fd[0];
        ATTACH(fd[1], p, 2);
        t = start_thread(reader, NULL);
        if (vector)
            QUEUED(ioevent_writev(fd[1], iov, 3));
        else
            QUEUED(ioevent_write(fd[1], large, 0x100000000));
        EXPECT(p, 2, most, 0);
        GIVES(ioevent_close(fd[1]), 0);
        ZERO(pthread_join(t, NULL));
        OK(close(fd[0]));
    }
    return 0;
}
