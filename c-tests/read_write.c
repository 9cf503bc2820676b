/*
 * read and write on streams of every kind, blocking and not: queued (rule 2.1), then one event with the blocking
 * call's result (rule 2.4), whether the data came before the call or after it.
 */
#include "test.h"

static void run(int which, bool nonblock)
{
    int fd[2], p = OK(ioeventpipe(4));
    char b[16];

    if (!stream_pair(which, fd))
        return;
    set_nonblock(fd[0], nonblock);
    set_nonblock(fd[1], nonblock);
    ATTACH(fd[0], p, 10);
    ATTACH(fd[1], p, 11);

    /* the read first */
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    QUIET(p);
    GIVES(write(fd[1], "first", 5), 5);
    EXPECT(p, 10, 5, 0);
    CHECK(memcmp(b, "first", 5) == 0);

    /* the data first, more than the read takes */
    GIVES(write(fd[1], "second", 6), 6);
    QUEUED(ioevent_read(fd[0], b, 3));
    EXPECT(p, 10, 3, 0);
    CHECK(memcmp(b, "sec", 3) == 0);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    EXPECT(p, 10, 3, 0);
    CHECK(memcmp(b, "ond", 3) == 0);

    /* the same, and what the kernel tells of new data, it has told before the calls */
    GIVES(write(fd[1], "data", 4), 4);
    QUIET(p);
    QUEUED(ioevent_read(fd[0], b, 2));
    QUEUED(ioevent_read(fd[0], b + 2, sizeof b - 2));
    EXPECT(p, 10, 2, 0);
    EXPECT(p, 10, 2, 0);
    CHECK(memcmp(b, "data", 4) == 0);

    /* the write, and a read of what it wrote */
    QUEUED(ioevent_write(fd[1], "third", 5));
    EXPECT(p, 11, 5, 0);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    EXPECT(p, 10, 5, 0);
    CHECK(memcmp(b, "third", 5) == 0);

    /* the end of file */
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    QUIET(p);
    GIVES(ioevent_close(fd[1]), 0);
    EXPECT(p, 10, 0, 0);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    EXPECT(p, 10, 0, 0);
    QUIET(p);
    GIVES(ioevent_close(fd[0]), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int which = 0; which < STREAMS; which++) {
        run(which, false);
        run(which, true);
    }
    return 0;
}
