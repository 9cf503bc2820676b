/*
 * A read of a file that is partly in memory gives the whole count, not what was there at once: rule 2.4. Each with
 * read, readv, pread and preadv.
 */
#include "test_file.h"

enum { SIZE = 1 << 20, PART = 64 << 10, HOWS = 4 };

int main(void)
{
    int p = OK(ioeventpipe(4)), fd = disk_file(), warm;
    unsigned char *in = room(SIZE), *some = room(PART);
    struct iovec iov[2] = { { in, PART / 2 }, { in + PART / 2, SIZE - PART / 2 } };

    fill_file(fd, SIZE);
    warm = reopen(fd, O_RDONLY);
    ZERO(posix_fadvise(warm, 0, 0, POSIX_FADV_RANDOM)); /* only what is asked for */
    ATTACH(fd, p, 1);
    for (int how = 0; how < HOWS; how++)
        for (off_t at = 0; at < SIZE; at += SIZE / 4) {
            uncache(fd);
            OK(pread(warm, some, PART, at));
            OK(pread(warm, some, PART, SIZE - PART));
            OK(lseek(fd, 0, SEEK_SET));
            memset(in, 0, SIZE);
            switch (how) {
            case 0: QUEUED(ioevent_read(fd, in, SIZE)); break;
            case 1: QUEUED(ioevent_readv(fd, iov, 2)); break;
            case 2: QUEUED(ioevent_pread(fd, in, SIZE, 0)); break;
            case 3: QUEUED(ioevent_preadv(fd, iov, 2, 0)); break;
            }
            EXPECT(p, 1, SIZE, 0);
            CHECK(is_pattern(in, 0, SIZE));
            SAME(position(fd), how < 2 ? SIZE : 0);
        }
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd), 0);
    free(in);
    free(some);
    return 0;
}
