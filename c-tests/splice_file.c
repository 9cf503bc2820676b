/*
 * splice between a pipe and a file: the count, the offset by pointer or the file's own, 0 at the end of the file:
 * rule 2.4, rule 4.1.
 */
#include "test_file.h"

enum { SIZE = 3000 };

static int p, q;
static char b[SIZE];

static void run(int which)
{
    int x[2], file = make_file(which);
    off_t at = 100;

    fill_file(file, SIZE);
    uncache(file);
    OK(pipe2(x, O_CLOEXEC));
    ATTACH(x[1], p, 1);
    QUEUED(ioevent_splice(file, &at, x[1], NULL, 1000, 0));
    EXPECT(p, 1, 1000, 0);
    SAME(at, 1100);
    QUEUED(ioevent_splice(file, NULL, x[1], NULL, 50, 0));
    EXPECT(p, 1, 50, 0);
    SAME(position(file), 50);
    read_all(x[0], b, 1050);
    CHECK(is_pattern(b, 100, 1000) && is_pattern(b + 1000, 0, 50));
    at = SIZE - 10;
    QUEUED(ioevent_splice(file, &at, x[1], NULL, 1000, 0));
    EXPECT(p, 1, 10, 0);
    QUEUED(ioevent_splice(file, &at, x[1], NULL, 1000, 0));
    EXPECT(p, 1, 0, 0);
    SAME(at, SIZE);
    read_all(x[0], b, 10);

    /* into the file: behind its end, then at its position */
    ATTACH(file, q, 2);
    for (off_t to = SIZE, n = 1000; to < 3 * SIZE; to += n) {
        put_pattern(b, (size_t)to, (size_t)n);
        OK(write(x[1], b, (size_t)n));
        at = to;
        QUEUED(ioevent_splice(x[0], NULL, file, &at, 10 * SIZE, 0));
        EXPECT(q, 2, n, 0);
        SAME(at, to + n);
        SAME(position(file), 50);
    }
    CHECK(holds_pattern(file, 3 * SIZE));
    put_pattern(b, 50, 70);
    OK(write(x[1], b, 70));
    QUEUED(ioevent_splice(x[0], NULL, file, NULL, 70, 0));
    EXPECT(q, 2, 70, 0);
    SAME(position(file), 120);
    CHECK(holds_pattern(file, 3 * SIZE));
    GIVES(ioevent_close(file), 0);
    GIVES(ioevent_close(x[1]), 0);
    OK(close(x[0]));
}

int main(void)
{
    p = OK(ioeventpipe(8));
    q = OK(ioeventpipe(8));
    for (int which = 0; which < FILES; which++)
        run(which);
    STAYS_QUIET(p);
    STAYS_QUIET(q);
    return 0;
}
