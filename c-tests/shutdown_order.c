/*
 * shutdown with SHUT_WR takes its turn after the writes that were queued before it: the peer sees all bytes, then the
 * end; a write behind it gives EPIPE: rule 2.5. Cancelling what writes ends it while it waits: rule 4.7.
 */
#include "test.h"

enum { SIZE = 12000001 };

static unsigned char out[SIZE], in[SIZE];

static void *reader(void *fd)
{
    read_all(*(int *)fd, in, SIZE);
    CHECK(sees_end(*(int *)fd));
    return NULL;
}

static void run(int which, bool peer_first)
{
    int p = OK(ioeventpipe(8)), fd[2];
    char b[4];

    if (!stream_pair(which, fd))
        return;
    memset(in, 0, SIZE);
    ATTACH(fd[1], p, 1);
    QUEUED(ioevent_write(fd[1], out, SIZE));
    ATTACH(fd[1], p, 2);
    QUEUED(ioevent_shutdown(fd[1], SHUT_WR));
    ATTACH(fd[1], p, 3);
    QUEUED(ioevent_write(fd[1], "x", 1));
    ATTACH(fd[1], p, 4);
    QUEUED(ioevent_read(fd[1], b, sizeof b)); /* reads go on */
    STAYS_QUIET(p);
    if (peer_first) { /* while no thread harvests: rule 2.7 */
        reader(&fd[0]);
        EXPECT(p, 1, SIZE, 0);
    } else {
        pthread_t t = start_thread(reader, &fd[0]);

        EXPECT(p, 1, SIZE, 0);
        ZERO(pthread_join(t, NULL));
    }
    EXPECT(p, 2, 0, 0);
    EXPECT(p, 3, -1, EPIPE);
    CHECK(memcmp(in, out, SIZE) == 0);
    QUIET(p);
    OK(write(fd[0], "bye", 3));
    EXPECT(p, 4, 3, 0);
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd[1]), 0);
    OK(close(fd[0]));
    GIVES(ioevent_close(p), 0);
}

/* One that waits behind a write is ended with it, and the connection is not shut down. */
static void ended(void)
{
    int p = OK(ioeventpipe(8)), fd[2];
    size_t full;

    unix_pair(fd);
    full = fill_up(fd[1]);
    ATTACH(fd[1], p, 1);
    QUEUED(ioevent_write(fd[1], "x", 1));
    QUEUED(ioevent_shutdown(fd[1], SHUT_WR));
    STAYS_QUIET(p);
    GIVES(ioevent_cancel2(fd[1], IOEVENT_CANCEL_IN | IOEVENT_CANCEL_POLL, NULL), 0);
    GIVES(ioevent_cancel2(fd[1], IOEVENT_CANCEL_OUT, NULL), 2);
    EXPECT(p, 1, -1, ECANCELED);
    EXPECT(p, 1, -1, ECANCELED);
    while (full > 0)
        full -= drain(fd[0]);
    QUEUED(ioevent_write(fd[1], "y", 1));
    EXPECT(p, 1, 1, 0);
    SAME(drain(fd[0]), 1);
    STAYS_QUIET(p);
}

int main(void)
{
    put_pattern(out, 0, SIZE);
    for (int which = 0; which < STREAM_PIPE; which++) {
        run(which, false);
        run(which, true);
    }
    ended();
    return 0;
}
