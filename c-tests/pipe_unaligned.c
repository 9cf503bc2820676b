/* A pipe is read and written with buffers of any alignment and any size, as read(2) is: rule 3.2, rule 3.5. */
#include "test.h"

enum { N = 200, ONE = sizeof(struct ioevent), AROUND = 32 };

static char out[N * ONE + 2 * AROUND], in[N * ONE + 2 * AROUND];

static struct ioevent made(int i)
{
    return (struct ioevent){ USER(0x1234567800000000ull + (unsigned)i * 3), i * 7 - 100, i };
}

/* Puts n events at an offset, which is no place for a struct. */
static void put(size_t offset, int n)
{
    memset(out, 0x5a, sizeof out);
    for (int i = 0; i < n; i++) {
        struct ioevent e = made(i);

        memcpy(out + AROUND + offset + (size_t)i * ONE, &e, ONE);
    }
}

/* The n events are there, and nothing around them was touched. */
static void check(size_t offset, int first, int n)
{
    for (int i = 0; i < n; i++) {
        struct ioevent e, want = made(first + i);

        memcpy(&e, in + AROUND + offset + (size_t)i * ONE, ONE);
        CHECK(e.ioe_user == want.ioe_user);
        SAME(e.ioe_result, want.ioe_result);
        SAME(e.ioe_errno, want.ioe_errno);
    }
    CHECK(is_all(in, 0x33, AROUND + offset));
    CHECK(is_all(in + AROUND + offset + (size_t)n * ONE, 0x33, sizeof in - AROUND - offset - (size_t)n * ONE));
}

static void at(int p, size_t offset)
{
    struct iovec iov[4];

    /* whole ones, many */
    put(offset, N);
    GIVES(ioevent_write(p, out + AROUND + offset, N * ONE), N * ONE);
    memset(in, 0x33, sizeof in);
    GIVES(ioevent_read(p, in + AROUND + offset, N * ONE), N * ONE);
    check(offset, 0, N);

    /* one by one, with room left over that is no whole struct; another alignment than they were posted from */
    GIVES(ioevent_write(p, out + AROUND + offset, 3 * ONE), 3 * ONE);
    for (int i = 0; i < 3; i++) {
        memset(in, 0x33, sizeof in);
        GIVES(ioevent_read(p, in + AROUND + 16 - offset, ONE + (i ? ONE - 1 : offset)), ONE);
        check(16 - offset, i, 1);
    }
    FAILS(ioevent_read(p, in + AROUND + offset, ONE - 1), EINVAL);

    /* in pieces: two, of whole structs at odd places; and what does not fit a whole one */
    GIVES(ioevent_write(p, out + AROUND + offset, 5 * ONE), 5 * ONE);
    iov[0] = (struct iovec){ in + AROUND + offset, 2 * ONE };
    iov[1] = (struct iovec){ in + AROUND + offset + 2 * ONE, 3 * ONE };
    memset(in, 0x33, sizeof in);
    GIVES(ioevent_readv(p, iov, 2), 5 * ONE);
    check(offset, 0, 5);
    iov[0] = (struct iovec){ out + AROUND + offset, 3 * ONE };
    iov[1] = (struct iovec){ out + AROUND + offset + 3 * ONE, 4 * ONE };
    GIVES(ioevent_writev(p, iov, 2), 7 * ONE);
    memset(in, 0x33, sizeof in);
    GIVES(ioevent_read(p, in + AROUND + offset, 8 * ONE - 1), 7 * ONE);
    check(offset, 0, 7);

    /* ioevent_wait with an array that is not aligned is undefined in C; the bytes of read are not */
    GIVES(ioevent_write(p, out + AROUND + offset, ONE), ONE);
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), 1);
    memset(in, 0x33, sizeof in);
    GIVES(ioevent_read(p, in + AROUND + offset, sizeof in - AROUND - offset), ONE);
    check(offset, 0, 1);
}

int main(void)
{
    for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
        int p = OK(ioeventpipe2(N, flags));

        for (size_t offset = 0; offset < 16; offset++)
            at(p, offset);
        QUIET(p);
        GIVES(ioevent_close(p), 0);
    }
    return 0;
}
