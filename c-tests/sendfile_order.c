/*
 * sendfile into an attached descriptor keeps the order of its writes; one that belongs to its source keeps the order
 * of the reads there: rule 2.5, rule 4.2.
 */
#include "test_file.h"

enum { PIECE = 40000, N = 30 };

static unsigned char data[N * PIECE];
static int reading;

static void *reader(void *unused)
{
    static unsigned char block[10000];

    for (size_t done = 0; done < sizeof data; done += sizeof block) {
        read_all(reading, block, sizeof block);
        CHECK(is_pattern(block, done, sizeof block));
    }
    return unused;
}

/* write, sendfile, writev, ...: one stream of bytes, in order. */
static void to_destination(int which, int in)
{
    int p = OK(ioeventpipe(N)), fd[2];
    off_t at[N];
    pthread_t t;

    if (!stream_pair(which, fd))
        return;
    for (int i = 0; i < N; i++) {
        at[i] = i * PIECE;
        ATTACH(fd[1], p, i);
        if (i % 3 == 1)
            QUEUED(ioevent_write(fd[1], data + i * PIECE, PIECE));
        else
            QUEUED(ioevent_sendfile(fd[1], in, &at[i], PIECE));
    }
    reading = fd[0];
    t = start_thread(reader, NULL);
    for (int i = 0; i < N; i++)
        EXPECT(p, i, PIECE, 0);
    ZERO(pthread_join(t, NULL));
    for (int i = 0; i < N; i++)
        SAME(at[i], i * PIECE + (i % 3 == 1 ? 0 : PIECE));
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd[1]), 0);
    OK(close(fd[0]));
    GIVES(ioevent_close(p), 0);
}

/* read, sendfile, read at the position of the source: a sendfile that waits keeps the read behind it waiting. */
static void from_source(int which, int in)
{
    int p = OK(ioeventpipe(4)), fd[2];
    char a[10], b[10], c[100];
    size_t full;

    CHECK(stream_pair(which, fd));
    OK(lseek(in, 0, SEEK_SET));
    full = fill_up_for_good(fd[1]);
    ATTACH(in, p, 1);
    QUEUED(ioevent_read(in, a, sizeof a));
    ATTACH(in, p, 2);
    QUEUED(ioevent_sendfile(fd[1], in, NULL, 100));
    ATTACH(in, p, 3);
    QUEUED(ioevent_read(in, b, sizeof b));
    ATTACH(in, p, 4);
    QUEUED(ioevent_pread(in, c, sizeof c, 7)); /* not this one */
    for (int i = 0; i < 2; i++) {
        struct ioevent e = HARVEST(p);

        CHECK(e.ioe_user == USER(1) || e.ioe_user == USER(4));
        SAME(e.ioe_result, e.ioe_user == USER(1) ? 10 : 100);
    }
    CHECK(is_pattern(a, 0, sizeof a) && is_pattern(c, 7, sizeof c));
    STAYS_QUIET(p);
    skip(fd[0], full); /* and not what the sendfile puts behind it */
    EXPECT(p, 2, 100, 0);
    EXPECT(p, 3, 10, 0);
    CHECK(is_pattern(b, 110, sizeof b));
    read_all(fd[0], c, 100);
    CHECK(is_pattern(c, 10, 100));
    STAYS_QUIET(p);
    DETACH(in);
    OK(close(fd[0]));
    OK(close(fd[1]));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    int in = disk_file();

    put_pattern(data, 0, sizeof data);
    fill_file(in, sizeof data);
    for (int which = 0; which < STREAM_PIPE; which++) /* into a pipe it ends with what fits */
        to_destination(which, in);
    from_source(fillable(), in);
    from_source(STREAM_PIPE, in);
    return 0;
}
