/*
 * A sendfile that runs out of time after it moved some bytes gives their count and ETIMEDOUT, and its place in the
 * source says the same: rule 4.6, rule 2.4.
 */
#include "test.h"

enum { SIZE = 8 << 20, LIMIT = 20000000 };

static unsigned char text[SIZE], in[SIZE];
static int p, f;

/* The event, and what the peer has, are of so many bytes from this place on. */
static size_t moved(int peer, size_t from, long long start, int err)
{
    struct ioevent e = HARVEST(p);

    CHECK(now_ns() - start >= LIMIT);
    SAME(e.ioe_errno, err);
    CHECK(e.ioe_result > 0 && e.ioe_result < SIZE);
    read_all(peer, in, (size_t)e.ioe_result);
    CHECK(is_pattern(in, from, (size_t)e.ioe_result));
    STAYS_QUIET(p);
    SAME(drain(peer), 0);
    return (size_t)e.ioe_result;
}

int main(void)
{
    int fd[2];
    size_t n;
    off_t at = 5;
    loff_t from = 7;
    long long start;

    p = OK(ioeventpipe(4));
    f = fileno(tmpfile());
    put_pattern(text, 0, SIZE);
    for (size_t done = 0; done < SIZE;)
        done += (size_t)OK(pwrite(f, text + done, SIZE - done, (off_t)done));
    unix_pair(fd);
    ATTACH(fd[1], p, 1);
    GIVES(ioevent_fcntl(fd[1], F_SETIOEVENTTIMEO, &(struct timespec){ 0, LIMIT }), 0);

    start = now_ns();
    QUEUED(ioevent_sendfile(fd[1], f, &at, SIZE - 5));
    n = moved(fd[0], 5, start, ETIMEDOUT);
    SAME(at, 5 + n);
    SAME(lseek(f, 0, SEEK_CUR), 0);
    start = now_ns();
    QUEUED(ioevent_sendfile(fd[1], f, NULL, SIZE)); /* the file's own place */
    n = moved(fd[0], 0, start, ETIMEDOUT);
    SAME(lseek(f, 0, SEEK_CUR), n);
    start = now_ns();
    GIVES(ioevent_submit(&(struct ioevent_op){ .ioo_kind = IOEVENT_OP_SENDFILE, .ioo_fd = fd[1], .ioo_fd2 = f,
                                               .ioo_user = USER(2), .ioo_len = SIZE - 9, .ioo_offset = 9 }, 1), 1);
    moved(fd[0], 9, start, ETIMEDOUT);
    SAME(lseek(f, 0, SEEK_CUR), n);
    GIVES(ioevent_close(fd[1]), 0);
    OK(close(fd[0]));

    OK(pipe(fd)); /* from the file into a pipe: ends when the pipe is full, as splice(2) does */
    ATTACH(fd[1], p, 3);
    GIVES(ioevent_fcntl(fd[1], F_SETIOEVENTTIMEO, &(struct timespec){ 0, LIMIT }), 0);
    QUEUED(ioevent_splice(f, &from, fd[1], NULL, SIZE - 7, 0));
    n = moved(fd[0], 7, 0, 0);
    SAME(from, 7 + n);
    return 0;
}
