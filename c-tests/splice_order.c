/*
 * A splice into an attached descriptor keeps the order of its writes, one that belongs to its source the order of the
 * reads there: rule 2.5.
 */
#include "test_file.h"

/* write, splice that waits, write: the second write waits behind it. */
static void writes(int which)
{
    int p = OK(ioeventpipe(8)), in[2], out[2];
    char b[16], c[4];

    if (!stream_pair(which, out))
        return;
    OK(pipe2(in, O_CLOEXEC));
    ATTACH(out[1], p, 1);
    QUEUED(ioevent_write(out[1], "a", 1));
    ATTACH(out[1], p, 2);
    QUEUED(ioevent_splice(in[0], NULL, out[1], NULL, 8, 0));
    ATTACH(out[1], p, 3);
    QUEUED(ioevent_write(out[1], "c", 1));
    ATTACH(out[1], p, 4);
    QUEUED(ioevent_splice(in[0], NULL, out[1], NULL, 2, 0));
    EXPECT(p, 1, 1, 0);
    STAYS_QUIET(p);
    read_all(out[0], b, 1);
    SAME(drain(out[0]), 0);
    if (which != STREAM_PIPE) { /* a read does not wait for it */
        ATTACH(out[1], p, 5);
        QUEUED(ioevent_read(out[1], c, sizeof c));
        OK(write(out[0], "in", 2));
        EXPECT(p, 5, 2, 0);
    }
    OK(write(in[1], "bb", 2));
    EXPECT(p, 2, 2, 0);
    EXPECT(p, 3, 1, 0);
    STAYS_QUIET(p);
    OK(write(in[1], "dd", 2));
    EXPECT(p, 4, 2, 0);
    read_all(out[0], b, 5);
    CHECK(memcmp(b, "bbcdd", 5) == 0);
    GIVES(ioevent_close(out[1]), 0);
    OK(close(out[0]));
    OK(close(in[0]));
    OK(close(in[1]));
    GIVES(ioevent_close(p), 0);
}

/* read, splice, read, splice of one source: each takes its part of what comes. */
static void reads(int which)
{
    int p = OK(ioeventpipe(8)), in[2], out[2];
    char a[2], b[2], c[16];

    if (!stream_pair(which, in))
        return;
    OK(pipe2(out, O_CLOEXEC));
    ATTACH(in[0], p, 1);
    QUEUED(ioevent_read(in[0], a, sizeof a));
    ATTACH(in[0], p, 2);
    QUEUED(ioevent_splice(in[0], NULL, out[1], NULL, 3, 0));
    ATTACH(in[0], p, 3);
    QUEUED(ioevent_read(in[0], b, sizeof b));
    ATTACH(in[0], p, 4);
    QUEUED(ioevent_splice(in[0], NULL, out[1], NULL, 100, SPLICE_F_NONBLOCK));
    STAYS_QUIET(p);
    OK(write(in[1], "11222334", 8));
    EXPECT(p, 1, 2, 0);
    EXPECT(p, 2, 3, 0);
    EXPECT(p, 3, 2, 0);
    EXPECT(p, 4, 1, 0);
    CHECK(memcmp(a, "11", 2) == 0 && memcmp(b, "33", 2) == 0);
    read_all(out[0], c, 4);
    CHECK(memcmp(c, "2224", 4) == 0);

    /* the destination is full: the read behind the splice waits, though there is something to read */
    fill_up(out[1]);
    OK(write(in[1], "5566", 4));
    ATTACH(in[0], p, 5);
    QUEUED(ioevent_splice(in[0], NULL, out[1], NULL, 2, 0));
    ATTACH(in[0], p, 6);
    QUEUED(ioevent_read(in[0], a, sizeof a));
    STAYS_QUIET(p);
    while (drain(out[0]) == 65536)
        ;
    EXPECT(p, 5, 2, 0);
    EXPECT(p, 6, 2, 0);
    CHECK(memcmp(a, "66", 2) == 0);
    STAYS_QUIET(p);
    GIVES(ioevent_close(in[0]), 0);
    OK(close(in[1]));
    OK(close(out[0]));
    OK(close(out[1]));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int which = 0; which < STREAMS; which++) {
        writes(which);
        reads(which);
    }
    return 0;
}
