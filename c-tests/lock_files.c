/*
 * The process keeps its fcntl(2) locks on a file whatever I/O it does there, by whichever descriptor of the file,
 * cached or not, large or small: rule 5.5. The other descriptors stay open, so nothing but the library can lose a
 * lock.
 */
#include "test_lock.h"

enum { SIZE = 2 << 20 };

enum { FSYNC, FDATASYNC, READ, WRITE, READV, WRITEV, PREAD, PWRITE, PREADV, PWRITEV, CALLS };

static char buffer[SIZE];
static struct iovec iov[2] = { { buffer, SIZE / 2 }, { buffer + SIZE / 2, SIZE / 2 } };

static ssize_t call(int which, int fd, size_t n)
{
    iov[0].iov_len = iov[1].iov_len = n / 2;
    switch (which) {
    case FSYNC: return ioevent_fsync(fd);
    case FDATASYNC: return ioevent_fdatasync(fd);
    case READ: return ioevent_read(fd, buffer, n);
    case WRITE: return ioevent_write(fd, buffer, n);
    case READV: return ioevent_readv(fd, iov, 2);
    case WRITEV: return ioevent_writev(fd, iov, 2);
    case PREAD: return ioevent_pread(fd, buffer, n, 0);
    case PWRITE: return ioevent_pwrite(fd, buffer, n, 0);
    case PREADV: return ioevent_preadv(fd, iov, 2, 0);
    default: return ioevent_pwritev(fd, iov, 2, 0);
    }
}

static ssize_t submit(int which, int fd, size_t n)
{
    static const unsigned short kinds[CALLS] = {
        IOEVENT_OP_FSYNC, IOEVENT_OP_FDATASYNC, IOEVENT_OP_READ, IOEVENT_OP_WRITE, IOEVENT_OP_READV,
        IOEVENT_OP_WRITEV, IOEVENT_OP_PREAD, IOEVENT_OP_PWRITE, IOEVENT_OP_PREADV, IOEVENT_OP_PWRITEV,
    };
    bool vectored = which == READV || which == WRITEV || which == PREADV || which == PWRITEV;
    struct ioevent_op op = { .ioo_kind = kinds[which], .ioo_fd = fd, .ioo_user = USER(1),
                             .ioo_buf = vectored ? (void *)iov : buffer, .ioo_len = vectored ? 2 : n };

    iov[0].iov_len = iov[1].iov_len = n / 2;
    GIVES(ioevent_submit(&op, 1), 1);
    errno = EIOEVENTQUEUED;
    return -1;
}

static void run(int file, bool by_struct, bool is_inline)
{
    int p = OK(ioeventpipe(4)), fd = make_file(file), other = reopen(fd, O_RDWR), copy = OK(dup(fd));

    fill_file(fd, SIZE);
    lock_part(other, F_WRLCK);
    STAYS_LOCKED(fd);
    ATTACH(fd, p, 1);
    if (is_inline)
        GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    STAYS_LOCKED(fd);
    for (int which = 0; which < CALLS; which++)
        for (int large = 0; large < 2; large++) {
            size_t n = which <= FDATASYNC ? 0 : large ? SIZE : 16;
            ssize_t r;

            uncache(fd);
            OK(lseek(fd, 0, SEEK_SET));
            r = (by_struct ? submit : call)(which, fd, n);
            if (r == -1 && errno == EIOEVENTQUEUED) {
                EXPECT(p, 1, (long)n, 0);
            } else {
                CHECK(is_inline && !by_struct);
                SAME(r, n);
            }
            STAYS_LOCKED(fd);
        }
    CHECK(is_locked_for_others(fd));

    /* another descriptor of the file, and none */
    ATTACH(copy, p, 1);
    QUEUED(ioevent_fsync(copy));
    EXPECT(p, 1, 0, 0);
    STAYS_LOCKED(fd);
    DETACH(copy);
    STAYS_LOCKED(fd);
    DETACH(fd);
    STAYS_LOCKED(fd);
    GIVES(ioevent_fsync(fd), 0);
    GIVES(ioevent_pwrite(fd, buffer, 16, 0), 16);
    STAYS_LOCKED(fd);

    /* a pipe that is closed over work */
    ATTACH(fd, p, 1);
    QUEUED(submit(PWRITE, fd, SIZE));
    QUEUED(submit(FSYNC, fd, 0));
    GIVES(ioevent_close(p), 0);
    STAYS_LOCKED(fd);

    OK(close(copy)); /* this is what loses it */
    CHECK(!is_locked_now(fd));
    OK(close(other));
    OK(close(fd));
}

int main(void)
{
    for (int file = 0; file < FILES; file++) {
        run(file, false, false);
        run(file, true, false);
        run(file, false, true);
    }
    return 0;
}
