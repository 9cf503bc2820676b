/*
 * A file on disk and one in memory can be attached: read, write, readv and writev go to the file's own position, a
 * read is short only at the end of the file and gives 0 there: rule 4.1, rule 2.4.
 */
#include "test_file.h"

static void run(int which)
{
    int p = OK(ioeventpipe(8)), fd = make_file(which);
    char b[64] = "", c[64] = "";
    struct iovec out[2] = { { " ", 1 }, { "world", 5 } }, in[3] = { { b, 3 }, { c, 0 }, { c, 3 } };

    ATTACH(fd, p, 1);
    ATTACHED(fd, p, 1);
    QUEUED(ioevent_write(fd, "hello", 5));
    EXPECT(p, 1, 5, 0);
    SAME(position(fd), 5);
    QUEUED(ioevent_writev(fd, out, 2));
    EXPECT(p, 1, 6, 0);
    SAME(position(fd), 11);

    /* at the end there is nothing, and then again something */
    QUEUED(ioevent_read(fd, b, sizeof b));
    EXPECT(p, 1, 0, 0);
    SAME(position(fd), 11);
    OK(lseek(fd, 0, SEEK_SET));
    QUEUED(ioevent_read(fd, b, 4));
    EXPECT(p, 1, 4, 0);
    CHECK(memcmp(b, "hell", 4) == 0);
    QUEUED(ioevent_readv(fd, in, 3));
    EXPECT(p, 1, 6, 0);
    CHECK(memcmp(b, "o w", 3) == 0 && memcmp(c, "orl", 3) == 0);
    SAME(position(fd), 10);
    QUEUED(ioevent_read(fd, b, sizeof b));
    EXPECT(p, 1, 1, 0);
    SAME(b[0], 'd');
    QUEUED(ioevent_read(fd, b, sizeof b));
    EXPECT(p, 1, 0, 0);
    QUEUED(ioevent_readv(fd, in, 3));
    EXPECT(p, 1, 0, 0);

    /* in the middle, across the end, behind it */
    OK(lseek(fd, 9, SEEK_SET));
    QUEUED(ioevent_write(fd, "XYZ", 3));
    EXPECT(p, 1, 3, 0);
    OK(lseek(fd, 20, SEEK_SET));
    QUEUED(ioevent_write(fd, "!", 1));
    EXPECT(p, 1, 1, 0);
    OK(lseek(fd, 0, SEEK_SET));
    QUEUED(ioevent_read(fd, b, sizeof b));
    EXPECT(p, 1, 21, 0);
    CHECK(memcmp(b, "hello worXYZ\0\0\0\0\0\0\0\0!", 21) == 0);

    /* no bytes */
    OK(lseek(fd, 0, SEEK_SET));
    QUEUED(ioevent_read(fd, b, 0));
    EXPECT(p, 1, 0, 0);
    QUEUED(ioevent_write(fd, b, 0));
    EXPECT(p, 1, 0, 0);
    SAME(position(fd), 0);
    STAYS_QUIET(p);
    DETACH(fd);
    GIVES(ioevent_read(fd, b, 5), 5);
    OK(close(fd));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int which = 0; which < FILES; which++)
        run(which);
    return 0;
}
