/*
 * pread, pwrite and their vectored forms: the ends of a file, negative offsets (-1 is one), files that have no
 * offsets, the wrong access: rule 2.4, rule 2.6.
 */
#include "test_file.h"

static int p;
static char b[64];
static struct iovec iov = { b, 16 };

/* All four fail with this errno. */
static void all_fail(int fd, off_t offset, int err)
{
    ATTACH(fd, p, 1);
    EITHER(ioevent_pread(fd, b, 16, offset), p, 1, err);
    EITHER(ioevent_pwrite(fd, b, 16, offset), p, 1, err);
    EITHER(ioevent_preadv(fd, &iov, 1, offset), p, 1, err);
    EITHER(ioevent_pwritev(fd, &iov, 1, offset), p, 1, err);
}

int main(void)
{
    int fd, s[2];
    volatile int many = 5000, few = -1;

    p = OK(ioeventpipe(8));
    for (int which = 0; which < FILES; which++) {
        fd = make_file(which);
        fill_file(fd, 100);
        all_fail(fd, -1, EINVAL);
        all_fail(fd, -2, EINVAL);
        all_fail(fd, INT64_MIN, EINVAL);
        EITHER(ioevent_preadv(fd, &iov, many, 0), p, 1, EINVAL);
        EITHER(ioevent_pwritev(fd, &iov, many, 0), p, 1, EINVAL);
        if (!on_valgrind()) { /* which takes a negative count for a large one */
            EITHER(ioevent_preadv(fd, &iov, few, 0), p, 1, EINVAL);
            EITHER(ioevent_pwritev(fd, &iov, few, 0), p, 1, EINVAL);
        }
        CHECK(holds_pattern(fd, 100));

        /* the end */
        QUEUED(ioevent_pread(fd, b, sizeof b, 90));
        EXPECT(p, 1, 10, 0);
        CHECK(is_pattern(b, 90, 10));
        QUEUED(ioevent_pread(fd, b, sizeof b, 100));
        EXPECT(p, 1, 0, 0);
        QUEUED(ioevent_preadv(fd, &iov, 1, 100000));
        EXPECT(p, 1, 0, 0);
        QUEUED(ioevent_pread(fd, b, 0, 0));
        EXPECT(p, 1, 0, 0);
        QUEUED(ioevent_pwritev(fd, &iov, 0, 0));
        EXPECT(p, 1, 0, 0);

        /* far behind it */
        QUEUED(ioevent_pwrite(fd, "z", 1, (off_t)5 << 30));
        EXPECT(p, 1, 1, 0);
        memset(b, 1, sizeof b);
        QUEUED(ioevent_pread(fd, b, sizeof b, ((off_t)5 << 30) - 3));
        EXPECT(p, 1, 4, 0);
        CHECK(memcmp(b, "\0\0\0z", 4) == 0);
        SAME(position(fd), 0);

        s[0] = reopen(fd, O_RDONLY);
        s[1] = reopen(fd, O_WRONLY);
        ATTACH(s[0], p, 1);
        ATTACH(s[1], p, 1);
        EITHER(ioevent_pwrite(s[0], b, 1, 0), p, 1, EBADF);
        EITHER(ioevent_pwritev(s[0], &iov, 1, 0), p, 1, EBADF);
        EITHER(ioevent_pread(s[1], b, 1, 0), p, 1, EBADF);
        EITHER(ioevent_preadv(s[1], &iov, 1, 0), p, 1, EBADF);
        GIVES(ioevent_close(s[0]), 0);
        GIVES(ioevent_close(s[1]), 0);
        GIVES(ioevent_close(fd), 0);
    }

    /* what has no offsets: neither a byte taken nor one given */
    for (int which = 0; which < STREAMS; which++) {
        if (!stream_pair(which, s))
            continue;
        OK(write(s[1], "abc", 3));
        if (which == STREAM_PIPE) {
            ATTACH(s[0], p, 1);
            ATTACH(s[1], p, 1);
            EITHER(ioevent_pread(s[0], b, 16, 0), p, 1, ESPIPE);
            EITHER(ioevent_preadv(s[0], &iov, 1, 5), p, 1, ESPIPE);
            EITHER(ioevent_pwrite(s[1], b, 16, 0), p, 1, ESPIPE);
            EITHER(ioevent_pwritev(s[1], &iov, 1, 5), p, 1, ESPIPE);
        } else {
            all_fail(s[0], 0, ESPIPE);
            all_fail(s[1], 5, ESPIPE);
        }
        SAME(drain(s[0]), 3);
        GIVES(ioevent_close(s[0]), 0);
        GIVES(ioevent_close(s[1]), 0);
    }
    STAYS_QUIET(p);
    return 0;
}
