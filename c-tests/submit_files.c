/*
 * ioevent_submit: the kinds for files, each once, with a place in the file or with the file's own: rule 2.9. What an
 * operation does not use (here the descriptor's user pointer and the fields that are 0) plays no part.
 */
#include "test.h"

/* The operation of this kind is taken; more fields may follow. */
#define SUBMIT(kind, fd, user, ...)                                             \
    GIVES(ioevent_submit(&(struct ioevent_op){ .ioo_kind = IOEVENT_OP_##kind, .ioo_fd = fd, .ioo_user = USER(user), \
                                               ##__VA_ARGS__ }, 1), 1)

static int p, f;
static char a[8], b[8];

static void at(off_t offset)
{
    SAME(lseek(f, 0, SEEK_CUR), offset);
}

static void reads_and_writes(void)
{
    struct iovec out[2] = { { "abcd", 4 }, { "ef", 2 } }, in[2] = { { a, 3 }, { b, 4 } };

    SUBMIT(WRITE, f, 1, .ioo_buf = "0123456789", .ioo_len = 10);
    EXPECT(p, 1, 10, 0);
    SUBMIT(WRITEV, f, 2, .ioo_buf = out, .ioo_len = 2);
    EXPECT(p, 2, 6, 0);
    at(16);
    SUBMIT(PWRITE, f, 3, .ioo_buf = "XY", .ioo_len = 2, .ioo_offset = 2);
    EXPECT(p, 3, 2, 0);
    SUBMIT(PWRITEV, f, 4, .ioo_buf = out, .ioo_len = 2, .ioo_offset = 0);
    EXPECT(p, 4, 6, 0);
    at(16);
    SUBMIT(PWRITE, f, 5, .ioo_buf = "gh", .ioo_len = 2, .ioo_offset = -1);
    EXPECT(p, 5, 2, 0);
    at(18);
    SUBMIT(PWRITEV, f, 6, .ioo_buf = out, .ioo_len = 1, .ioo_offset = -1);
    EXPECT(p, 6, 4, 0);
    at(22); /* abcdef6789abcdefghabcd */

    OK(lseek(f, 0, SEEK_SET));
    SUBMIT(READ, f, 1, .ioo_buf = a, .ioo_len = 8);
    EXPECT(p, 1, 8, 0);
    CHECK(memcmp(a, "abcdef67", 8) == 0);
    SUBMIT(READV, f, 2, .ioo_buf = in, .ioo_len = 2);
    EXPECT(p, 2, 7, 0);
    CHECK(memcmp(a, "89a", 3) == 0 && memcmp(b, "bcde", 4) == 0);
    at(15);
    SUBMIT(PREAD, f, 3, .ioo_buf = a, .ioo_len = 2, .ioo_offset = 4);
    EXPECT(p, 3, 2, 0);
    CHECK(memcmp(a, "ef", 2) == 0);
    SUBMIT(PREADV, f, 4, .ioo_buf = in, .ioo_len = 2, .ioo_offset = 17);
    EXPECT(p, 4, 5, 0); /* short at the end of the file */
    CHECK(memcmp(a, "hab", 3) == 0 && memcmp(b, "cd", 2) == 0);
    at(15);
    SUBMIT(PREAD, f, 5, .ioo_buf = a, .ioo_len = 2, .ioo_offset = -1);
    EXPECT(p, 5, 2, 0);
    CHECK(memcmp(a, "fg", 2) == 0);
    at(17);
    SUBMIT(PREADV, f, 6, .ioo_buf = in, .ioo_len = 1, .ioo_offset = -1);
    EXPECT(p, 6, 3, 0);
    CHECK(memcmp(a, "hab", 3) == 0);
    at(20);
    SUBMIT(FSYNC, f, 7);
    EXPECT(p, 7, 0, 0);
    SUBMIT(FDATASYNC, f, 8);
    EXPECT(p, 8, 0, 0);
}

int main(void)
{
    p = OK(ioeventpipe(4));
    f = fileno(tmpfile());
    ATTACH(f, p, 99);
    reads_and_writes();
    STAYS_QUIET(p);
    GIVES(ioevent_close(f), 0);
    return 0;
}
