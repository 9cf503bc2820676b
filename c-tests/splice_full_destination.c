/*
 * A splice whose destination is full waits until there is room, attached or not: rule 2.4. The source is a pipe, a
 * socket, or a file.
 */
#include "test_file.h"

enum { SOURCES = 4 };

static int p;

/* Opens a source that has "0123456789"; returns it. */
static int source(int which, int keep[2])
{
    int file;

    keep[0] = keep[1] = -1;
    switch (which) {
    case 0: OK(pipe2(keep, O_CLOEXEC)); break;
    case 1: unix_pair(keep); break;
    default:
        file = make_file(which == 2 ? FILE_DISK : FILE_MEMORY);
        OK(write(file, "0123456789", 10));
        OK(lseek(file, 0, SEEK_SET));
        uncache(file);
        return file;
    }
    OK(write(keep[1], "0123456789", 10));
    return keep[0];
}

static void run(int from, int to, bool attach_source)
{
    int keep[2], in = source(from, keep), out[2];
    char b[16];
    size_t full;

    CHECK(stream_pair(to, out));
    full = fill_up_for_good(out[1]);
    ATTACH(attach_source ? in : out[1], p, 1);
    QUEUED(ioevent_splice(in, NULL, out[1], NULL, 4, SPLICE_F_NONBLOCK));
    STAYS_QUIET(p);
    if (from >= 2)
        SAME(position(in), 0);
    skip(out[0], full);
    EXPECT(p, 1, 4, 0);
    read_all(out[0], b, 4);
    CHECK(memcmp(b, "0123", 4) == 0);

    /* ended while it waits: nothing of the source is lost */
    full = fill_up_for_good(out[1]);
    QUEUED(ioevent_splice(in, NULL, out[1], NULL, 6, 0));
    STAYS_QUIET(p);
    GIVES(ioevent_cancel(attach_source ? in : out[1]), 1);
    EXPECT(p, 1, -1, ECANCELED);
    skip(out[0], full);
    STAYS_QUIET(p);
    SAME(drain(out[0]), 0);
    SAME(read(in, b, sizeof b), 6);
    CHECK(memcmp(b, "456789", 6) == 0);
    GIVES(ioevent_close(in), 0);
    GIVES(ioevent_close(out[1]), 0);
    OK(close(out[0]));
    if (keep[1] >= 0)
        OK(close(keep[1]));
}

int main(void)
{
    p = OK(ioeventpipe(4));
    for (int from = 0; from < SOURCES; from++)
        for (int attach_source = 0; attach_source < 2; attach_source++) {
            run(from, STREAM_PIPE, attach_source);
            if (from == 0)
                run(from, fillable(), attach_source);
        }
    return 0;
}
