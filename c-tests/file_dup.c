/*
 * Attachment belongs to the descriptor: the dup of an attached file is not attached; attached with a user pointer of
 * its own it works beside the first, at the one position that they share: rule 4.2. The same file opened anew has its
 * own.
 */
#include "test_file.h"

static void run(int which)
{
    int p = OK(ioeventpipe(8)), q = OK(ioeventpipe(8)), fd = make_file(which), copy, anew;
    char b[10], c[10], d[10];

    fill_file(fd, 1000);
    ATTACH(fd, p, 1);
    copy = OK(dup(fd));
    anew = reopen(fd, O_RDWR);
    ATTACHED(copy, -1, 0);
    GIVES(ioevent_read(copy, b, sizeof b), sizeof b); /* libc's */
    ATTACH(copy, q, 2);
    ATTACH(anew, p, 3);
    ATTACHED(fd, p, 1);
    ATTACHED(copy, q, 2);
    QUEUED(ioevent_read(fd, b, sizeof b));
    EXPECT(p, 1, sizeof b, 0);
    CHECK(is_pattern(b, 10, sizeof b));
    QUEUED(ioevent_read(copy, c, sizeof c));
    EXPECT(q, 2, sizeof c, 0);
    CHECK(is_pattern(c, 20, sizeof c));
    QUEUED(ioevent_read(anew, d, sizeof d));
    EXPECT(p, 3, sizeof d, 0);
    CHECK(is_pattern(d, 0, sizeof d));
    SAME(position(copy), 30);

    /* all at once */
    uncache(fd);
    QUEUED(ioevent_read(fd, b, sizeof b));
    QUEUED(ioevent_read(copy, c, sizeof c));
    EXPECT(p, 1, sizeof b, 0);
    EXPECT(q, 2, sizeof c, 0);
    CHECK((is_pattern(b, 30, sizeof b) && is_pattern(c, 40, sizeof c)) ||
          (is_pattern(b, 40, sizeof b) && is_pattern(c, 30, sizeof c)));

    /* one goes, the other stays */
    DETACH(fd);
    ATTACHED(copy, q, 2);
    GIVES(ioevent_pread(fd, b, sizeof b, 0), sizeof b);
    QUEUED(ioevent_pread(copy, c, sizeof c, 100));
    EXPECT(q, 2, sizeof c, 0);
    ATTACH(fd, q, 4); /* both on one pipe */
    GIVES(ioevent_close(copy), 0);
    ATTACHED(fd, q, 4);
    QUEUED(ioevent_pwrite(fd, "end", 3, 1000));
    EXPECT(q, 4, 3, 0);
    QUEUED(ioevent_pread(anew, d, sizeof d, 1000));
    EXPECT(p, 3, 3, 0);
    CHECK(memcmp(d, "end", 3) == 0);
    STAYS_QUIET(p);
    QUIET(q);
    GIVES(ioevent_close(fd), 0);
    GIVES(ioevent_close(anew), 0);
    GIVES(ioevent_close(p), 0);
    GIVES(ioevent_close(q), 0);
}

int main(void)
{
    for (int which = 0; which < FILES; which++)
        run(which);
    return 0;
}
