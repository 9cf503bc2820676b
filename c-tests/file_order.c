/*
 * Reads and writes at the position of a file are carried out, and their events handed out, in the order in which they
 * were queued, though many are outstanding: rule 2.5, rule 4.1.
 */
#include "test_file.h"

enum { N = 96 };

static unsigned char data[N * 70000], back[sizeof data];

static size_t size_of(int i)
{
    return i % 5 == 2 ? 65536 + (size_t)i : i % 7 == 3 ? 4096 : (size_t)i * 3 + 1;
}

static void run(int which)
{
    int p = OK(ioeventpipe(N)), fd = make_file(which);
    struct iovec iov[N][2];
    size_t total = 0;

    for (int i = 0; i < N; i++) {
        size_t n = size_of(i);

        ATTACH(fd, p, i);
        iov[i][0] = (struct iovec){ data + total, n / 2 };
        iov[i][1] = (struct iovec){ data + total + n / 2, n - n / 2 };
        if (i % 3)
            QUEUED(ioevent_write(fd, data + total, n));
        else
            QUEUED(ioevent_writev(fd, iov[i], 2));
        total += n;
    }
    CHECK(total <= sizeof data);
    for (int i = 0; i < N; i++)
        EXPECT(p, i, (long)size_of(i), 0);
    SAME(position(fd), total);
    CHECK(holds_pattern(fd, total));

    OK(lseek(fd, 0, SEEK_SET));
    uncache(fd);
    memset(back, 0, sizeof back);
    total = 0;
    for (int i = 0; i < N; i++) {
        size_t n = size_of(i);

        ATTACH(fd, p, i);
        iov[i][0] = (struct iovec){ back + total, n / 2 };
        iov[i][1] = (struct iovec){ back + total + n / 2, n - n / 2 };
        if (i % 3)
            QUEUED(ioevent_read(fd, back + total, n));
        else
            QUEUED(ioevent_readv(fd, iov[i], 2));
        total += n;
    }
    for (int i = 0; i < N; i++)
        EXPECT(p, i, (long)size_of(i), 0);
    SAME(position(fd), total);
    CHECK(is_pattern(back, 0, total));
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    put_pattern(data, 0, sizeof data);
    for (int which = 0; which < FILES; which++)
        run(which);
    return 0;
}
