/*
 * ioevent_submit: sendfile and splice, with a place in the source and in the destination or with the files' own:
 * rule 2.9. They belong to the destination if it is attached, else to the source: rule 4.2.
 */
#include "test.h"

/* The operation of this kind is taken; more fields may follow. */
#define SUBMIT(kind, fd, user, ...)                                             \
    GIVES(ioevent_submit(&(struct ioevent_op){ .ioo_kind = IOEVENT_OP_##kind, .ioo_fd = fd, .ioo_user = USER(user), \
                                               ##__VA_ARGS__ }, 1), 1)

static int p, f, s[2], q[2];

static void at(off_t offset)
{
    SAME(lseek(f, 0, SEEK_CUR), offset);
}

static void gets(int fd, const char *text)
{
    char b[16];

    read_all(fd, b, strlen(text));
    CHECK(memcmp(b, text, strlen(text)) == 0);
}

/* Each kind over the same descriptors, whichever of them are attached. */
static void transfer(void)
{
    OK(lseek(f, 1, SEEK_SET));
    SUBMIT(SENDFILE, s[1], 1, .ioo_fd2 = f, .ioo_len = 3, .ioo_offset = 4);
    EXPECT(p, 1, 3, 0);
    gets(s[0], "456");
    at(1);
    SUBMIT(SENDFILE, s[1], 2, .ioo_fd2 = f, .ioo_len = 2, .ioo_offset = -1);
    EXPECT(p, 2, 2, 0);
    gets(s[0], "12");
    at(3);

    SUBMIT(SPLICE, q[1], 3, .ioo_fd2 = f, .ioo_len = 4, .ioo_offset = 5, .ioo_offset2 = -1);
    EXPECT(p, 3, 4, 0);
    at(3);
    SUBMIT(SPLICE, q[1], 4, .ioo_fd2 = f, .ioo_len = 3, .ioo_offset = -1, .ioo_offset2 = -1,
           .ioo_arg = SPLICE_F_NONBLOCK | SPLICE_F_MORE);
    EXPECT(p, 4, 3, 0);
    at(6);
    gets(q[0], "5678345");
}

/* From a pipe into the file: at a place, and where it stands. */
static void back(void)
{
    char b[16] = "";

    OK(write(q[1], "abcdef", 6));
    OK(lseek(f, 10, SEEK_SET));
    SUBMIT(SPLICE, f, 5, .ioo_fd2 = q[0], .ioo_len = 2, .ioo_offset = -1, .ioo_offset2 = 0);
    EXPECT(p, 5, 2, 0);
    at(10);
    SUBMIT(SPLICE, f, 6, .ioo_fd2 = q[0], .ioo_len = 4, .ioo_offset = -1, .ioo_offset2 = -1);
    EXPECT(p, 6, 4, 0);
    at(14);
    SAME(pread(f, b, 16, 0), 14);
    CHECK(memcmp(b, "ab23456789cdef", 14) == 0);
    GIVES(pwrite(f, "01", 2, 0), 2);
    OK(ftruncate(f, 10));
}

int main(void)
{
    p = OK(ioeventpipe(4));
    f = fileno(tmpfile());
    GIVES(write(f, "0123456789", 10), 10);
    unix_pair(s);
    OK(pipe(q));

    ATTACH(s[1], p, 97); /* the destinations */
    ATTACH(q[1], p, 98);
    transfer();
    ATTACH(f, p, 99); /* both */
    transfer();
    back();
    DETACH(s[1]); /* only the sources */
    DETACH(q[1]);
    transfer();
    ATTACH(q[0], p, 96);
    DETACH(f);
    back();
    FAILS(ioevent_submit(&(struct ioevent_op){ .ioo_kind = IOEVENT_OP_SENDFILE, .ioo_fd = s[1], .ioo_fd2 = f }, 1),
          EINVAL); /* neither */
    STAYS_QUIET(p);
    return 0;
}
