/* A large read of a file that is not in memory and a large write complete whole, in one event: rule 2.4, rule 4.1. */
#include "test_file.h"

static void run(int which, size_t size)
{
    int p = OK(ioeventpipe(4)), fd = make_file(which);
    unsigned char *out = room(size), *in = room(size + 1000);
    struct iovec iov[4] = { { in, 1 }, { in + 1, size / 2 }, { in + 1 + size / 2, 0 },
                            { in + 1 + size / 2, size - size / 2 + 999 } };

    put_pattern(out, 0, size);
    ATTACH(fd, p, 1);
    QUEUED(ioevent_write(fd, out, size));
    EXPECT(p, 1, (long)size, 0);
    SAME(position(fd), size);
    CHECK(holds_pattern(fd, size));

    /* more than there is: short at the end of the file, and nowhere else */
    for (int vector = 0; vector < 2; vector++) {
        uncache(fd);
        OK(lseek(fd, 0, SEEK_SET));
        memset(in, 0xee, size + 1000);
        if (vector)
            QUEUED(ioevent_readv(fd, iov, 4));
        else
            QUEUED(ioevent_read(fd, in, size + 1000));
        EXPECT(p, 1, (long)size, 0);
        CHECK(memcmp(in, out, size) == 0);
        CHECK(is_all(in + size, 0xee, 1000));
    }

    OK(ftruncate(fd, 0));
    OK(lseek(fd, 0, SEEK_SET));
    for (int i = 0; i < 4; i++)
        iov[i].iov_base = out + ((unsigned char *)iov[i].iov_base - in);
    iov[3].iov_len -= 1000;
    iov[2].iov_len = 0;
    QUEUED(ioevent_writev(fd, iov, 4));
    EXPECT(p, 1, (long)size, 0);
    CHECK(holds_pattern(fd, size));
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd), 0);
    GIVES(ioevent_close(p), 0);
    free(out);
    free(in);
}

int main(void)
{
    for (int which = 0; which < FILES; which++) {
        run(which, on_valgrind() ? 300000 : 8 << 20);
        run(which, 4097);
    }
    return 0;
}
