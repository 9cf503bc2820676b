/*
 * sendfile from a file to sockets, pipes and files: the count, the offset pointer, the file's own position without
 * one: rule 2.4, rule 1.1. It belongs to the destination if that is attached, else to the source: rule 4.2.
 */
#include "test_file.h"

enum { SIZE = 30000 };

static int p, q;

/* What has arrived is the pattern from here on. */
static void arrived(int fd, size_t from, size_t n)
{
    char b[SIZE];

    read_all(fd, b, n);
    CHECK(is_pattern(b, from, n));
}

static void run(int which, int in)
{
    int fd[2];
    off_t at = 100;

    if (!stream_pair(which, fd))
        return;
    OK(lseek(in, 0, SEEK_SET));
    ATTACH(fd[1], p, 1);
    QUEUED(ioevent_sendfile(fd[1], in, &at, 5000));
    EXPECT(p, 1, 5000, 0);
    SAME(at, 5100);
    SAME(position(in), 0);
    arrived(fd[0], 100, 5000);
    QUEUED(ioevent_sendfile(fd[1], in, NULL, 7));
    EXPECT(p, 1, 7, 0);
    SAME(position(in), 7);
    arrived(fd[0], 0, 7);

    /* up to the end, at the end, behind it, nothing */
    at = SIZE - 10;
    QUEUED(ioevent_sendfile(fd[1], in, &at, 5000));
    EXPECT(p, 1, 10, 0);
    SAME(at, SIZE);
    arrived(fd[0], SIZE - 10, 10);
    QUEUED(ioevent_sendfile(fd[1], in, &at, 5000));
    EXPECT(p, 1, 0, 0);
    SAME(at, SIZE);
    at = SIZE + 1;
    QUEUED(ioevent_sendfile(fd[1], in, &at, 5000));
    EXPECT(p, 1, 0, 0);
    SAME(at, SIZE + 1);
    at = 0;
    QUEUED(ioevent_sendfile(fd[1], in, &at, 0));
    EXPECT(p, 1, 0, 0);
    SAME(at, 0);

    /* whose it is */
    ATTACH(in, q, 2);
    QUEUED(ioevent_sendfile(fd[1], in, &at, 11));
    EXPECT(p, 1, 11, 0);
    arrived(fd[0], 0, 11);
    DETACH(fd[1]);
    QUEUED(ioevent_sendfile(fd[1], in, &at, 11));
    EXPECT(q, 2, 11, 0);
    arrived(fd[0], 11, 11);
    DETACH(in);
    GIVES(ioevent_sendfile(fd[1], in, &at, 11), 11);
    arrived(fd[0], 22, 11);
    SAME(at, 33);
    QUIET(p);
    QUIET(q);
    OK(close(fd[0]));
    OK(close(fd[1]));
}

int main(void)
{
    p = OK(ioeventpipe(8));
    q = OK(ioeventpipe(8));
    for (int kind = 0; kind < FILES; kind++) {
        int in = make_file(kind), out;
        off_t at = 0;

        fill_file(in, SIZE);
        for (int which = 0; which < STREAMS; which++) {
            uncache(in);
            run(which, in);
        }
        for (int to = 0; to < FILES; to++) { /* to a file, at its position */
            out = make_file(to);
            ATTACH(out, p, 3);
            at = 0;
            QUEUED(ioevent_sendfile(out, in, &at, 1000));
            EXPECT(p, 3, 1000, 0);
            SAME(position(out), 1000);
            QUEUED(ioevent_sendfile(out, in, &at, 2 * SIZE));
            EXPECT(p, 3, SIZE - 1000, 0);
            SAME(at, SIZE);
            CHECK(holds_pattern(out, SIZE));
            GIVES(ioevent_close(out), 0);
        }
        OK(close(in));
    }
    STAYS_QUIET(p);
    return 0;
}
