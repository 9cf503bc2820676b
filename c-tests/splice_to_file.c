/* A splice from an empty pipe into a file waits for the pipe, whichever of the two is attached: rule 2.4, rule 4.2. */
#include "test_file.h"

static void run(int which, bool source)
{
    int p = OK(ioeventpipe(8)), file = make_file(which), x[2];
    char b[8];
    off_t at = 3;

    OK(pipe2(x, O_CLOEXEC));
    ATTACH(source ? x[0] : file, p, 1);
    QUEUED(ioevent_splice(x[0], NULL, file, &at, 100, 0));
    STAYS_QUIET(p);
    OK(write(x[1], "abc", 3));
    EXPECT(p, 1, 3, 0);
    SAME(at, 6);
    SAME(position(file), 0);
    QUEUED(ioevent_splice(x[0], NULL, file, NULL, 100, SPLICE_F_NONBLOCK));
    STAYS_QUIET(p);
    if (!source) { /* what does not stand in the order of the writes goes on */
        QUEUED(ioevent_pread(file, b, sizeof b, 0));
        EXPECT(p, 1, 6, 0);
        CHECK(memcmp(b, "\0\0\0abc", 6) == 0);
    }
    OK(write(x[1], "xyz", 3));
    EXPECT(p, 1, 3, 0);
    SAME(position(file), 3);
    SAME(pread(file, b, sizeof b, 0), 6);
    CHECK(memcmp(b, "xyzabc", 6) == 0);

    /* a write behind it waits for it; both are ended */
    if (!source) {
        QUEUED(ioevent_splice(x[0], NULL, file, NULL, 100, 0));
        QUEUED(ioevent_write(file, "!", 1));
        STAYS_QUIET(p);
        GIVES(ioevent_cancel(file), 2);
        EXPECT(p, 1, -1, ECANCELED);
        EXPECT(p, 1, -1, ECANCELED);
    }
    QUEUED(ioevent_splice(x[0], NULL, file, NULL, 100, 0));
    OK(close(x[1]));
    EXPECT(p, 1, 0, 0);
    SAME(position(file), 3);
    STAYS_QUIET(p);
    GIVES(ioevent_close(file), 0);
    GIVES(ioevent_close(x[0]), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int which = 0; which < FILES; which++)
        for (int source = 0; source < 2; source++)
            run(which, source);
    return 0;
}
