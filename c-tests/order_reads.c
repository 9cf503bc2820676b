/*
 * Reads of one descriptor are carried out, and their events handed out, in the order in which they were queued:
 * rule 2.5. Many reads of many sizes; whatever pieces the data comes in, the buffers in that order make up the stream.
 */
#include "test.h"

enum { READS = 200, SIZE = 97 };

static unsigned char buffer[READS][SIZE];

static void run(int which)
{
    int fd[2], p = OK(ioeventpipe(READS)), next = 0;
    size_t sent = 0, got = 0;
    uint64_t seed = 1997;
    struct iovec iov[READS];

    if (!stream_pair(which, fd))
        return;
    for (int i = 0; i < READS; i++) {
        size_t size = (size_t)i % SIZE + 1;

        ATTACH(fd[0], p, i);
        iov[i] = (struct iovec){ buffer[i], size };
        if (i % 3 == 0)
            QUEUED(ioevent_readv(fd[0], &iov[i], 1));
        else if (i % 3 == 1 && which != STREAM_PIPE)
            QUEUED(ioevent_recv(fd[0], buffer[i], size, 0));
        else
            QUEUED(ioevent_read(fd[0], buffer[i], size));
    }
    QUIET(p);
    while (next < READS) {
        unsigned char out[256];
        size_t n = next_random(&seed) % sizeof out + 1;
        struct ioevent e[7];
        struct timespec t = { 0, 1000000 };
        int events;

        if (sent - got < 2000) { /* keep some on the way */
            put_pattern(out, sent, n);
            GIVES(write(fd[1], out, n), n);
            sent += n;
        }
        events = OK(ioevent_wait(p, e, 7, &t));
        for (int i = 0; i < events; i++, next++) {
            SAME((uintptr_t)e[i].ioe_user, next);
            SAME(e[i].ioe_errno, 0);
            CHECK(e[i].ioe_result > 0 && e[i].ioe_result <= next % SIZE + 1);
            CHECK(is_pattern(buffer[next], got, (size_t)e[i].ioe_result));
            got += (size_t)e[i].ioe_result;
        }
    }
    STAYS_QUIET(p);
    SAME(drain(fd[0]), sent - got);
    GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int which = 0; which < STREAMS; which++)
        run(which);
    return 0;
}
