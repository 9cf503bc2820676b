/*
 * While the kernel is at work on one operation, those of other descriptors, and on the same one those outside its
 * order, go on: rule 2.5, rule 2.7, rule 3.4.
 */
#include "test_held.h"

int main(void)
{
    int p = OK(ioeventpipe(32)), fd = held_file(64 * HELD_PAGE, false), other = disk_file(), s[2], x[2];
    char b[16], c[16];

    fill_file(other, HELD_PAGE);
    unix_pair(s);
    OK(pipe2(x, O_CLOEXEC));
    ATTACH(s[0], p, 3);
    ATTACH(x[0], p, 4);
    for (int round = 0; round < 4; round++) {
        char *page = held_page();
        bool held;

        uncache(fd);
        uncache(other);
        OK(lseek(fd, 0, SEEK_SET));
        OK(lseek(other, 0, SEEK_SET));
        ATTACH(fd, p, 1);
        ATTACH(other, p, 2);
        if (round % 2)
            held = IS_HELD(ioevent_read(fd, page, HELD_PAGE));
        else
            held = IS_HELD(ioevent_pread(fd, page, HELD_PAGE, 0));

        /* another file, a socket, a pipe */
        QUEUED(ioevent_read(other, b, sizeof b));
        EXPECT(p, 2, sizeof b, 0);
        CHECK(is_pattern(b, 0, sizeof b));
        QUEUED(ioevent_fsync(other));
        EXPECT(p, 2, 0, 0);
        QUEUED(ioevent_read(s[0], b, sizeof b));
        QUEUED(ioevent_read(x[0], c, sizeof c));
        QUIET(p);
        OK(write(s[1], "abc", 3));
        EXPECT(p, 3, 3, 0);
        OK(write(x[1], "de", 2));
        EXPECT(p, 4, 2, 0);

        /* the same file, at other places */
        ATTACH(fd, p, 5);
        for (int i = 1; i < 8; i++) {
            QUEUED(ioevent_pread(fd, b, sizeof b, i * 8 * HELD_PAGE));
            EXPECT(p, 5, sizeof b, 0);
            CHECK(is_pattern(b, (size_t)i * 8 * HELD_PAGE, sizeof b));
        }
        if (held) {
            STAYS_QUIET(p);
            RELEASE();
        }
        EXPECT(p, 1, HELD_PAGE, 0);
        CHECK(is_pattern(page, 0, HELD_PAGE));
    }
    STAYS_QUIET(p);
    return 0;
}
