/*
 * A large sendfile to a receiver that is slow gives one event with the whole count: rule 2.4. It waits while the
 * receiver takes nothing; the program may close the source in the meantime.
 */
#include "test_file.h"

static size_t size;
static int reading;

static void *reader(void *unused)
{
    static char block[65536];

    for (size_t done = 0; done < size;) {
        size_t n = size - done < sizeof block ? size - done : sizeof block;

        read_all(reading, block, n);
        CHECK(is_pattern(block, done, n));
        done += n;
    }
    return unused;
}

static void run(int which, int file, bool by_pointer)
{
    int p = OK(ioeventpipe(4)), fd[2], in = reopen(file, O_RDONLY), again;
    off_t at = 0;
    pthread_t t;

    if (!stream_pair(which, fd)) {
        OK(close(in));
        return;
    }
    uncache(file);
    ATTACH(fd[1], p, 1);
    QUEUED(ioevent_sendfile(fd[1], in, by_pointer ? &at : NULL, size + 12345));
    OK(close(in));
    again = OK(open("/dev/null", O_RDWR | O_CLOEXEC)); /* likely the same number */
    STAYS_QUIET(p);
    reading = fd[0];
    t = start_thread(reader, NULL);
    EXPECT(p, 1, (long)size, 0);
    SAME(at, by_pointer ? size : 0);
    ZERO(pthread_join(t, NULL));
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd[1]), 0);
    CHECK(sees_end(fd[0]));
    OK(close(fd[0]));
    OK(close(again));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    int file = disk_file();

    size = on_valgrind() ? 6 << 20 : 8 << 20;
    fill_file(file, size);
    for (int which = 0; which < STREAM_PIPE; which++) { /* into a pipe it ends with what fits */
        run(which, file, true);
        run(which, file, false);
    }
    return 0;
}
