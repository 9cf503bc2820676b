/*
 * Writes of one descriptor are carried out, and their events handed out, in the order in which they were queued:
 * rule 2.5. Small and large ones mixed, so that some wait.
 */
#include "test.h"

enum { WRITES = 120, LARGE = 300000 };

static unsigned char out[WRITES * LARGE / 3];
static size_t total;
static int reading;

static void *reader(void *unused)
{
    unsigned char block[10000];

    for (size_t done = 0; done < total;) {
        size_t n = total - done < sizeof block ? total - done : sizeof block;

        read_all(reading, block, n);
        CHECK(is_pattern(block, done, n));
        done += n;
    }
    return unused;
}

static size_t size_of(int i)
{
    return i % 4 == 2 ? (size_t)LARGE + (size_t)i : (size_t)i * 5 + 1;
}

static void run(int which)
{
    int fd[2], p = OK(ioeventpipe(WRITES));
    pthread_t t;

    if (!stream_pair(which, fd))
        return;
    total = 0;
    for (int i = 0; i < WRITES; i++) {
        struct iovec *iov = malloc(sizeof *iov); /* lives until the event */

        ATTACH(fd[1], p, iov);
        *iov = (struct iovec){ out + total, size_of(i) };
        CHECK(total + size_of(i) <= sizeof out);
        if (i % 3 == 0)
            QUEUED(ioevent_writev(fd[1], iov, 1));
        else if (i % 3 == 1 && which != STREAM_PIPE)
            QUEUED(ioevent_send(fd[1], iov->iov_base, iov->iov_len, 0));
        else
            QUEUED(ioevent_write(fd[1], iov->iov_base, iov->iov_len));
        total += size_of(i);
    }
    reading = fd[0];
    t = start_thread(reader, NULL);
    for (int i = 0; i < WRITES; i++) {
        struct ioevent e = HARVEST(p);
        struct iovec *iov = e.ioe_user;

        SAME(e.ioe_errno, 0);
        SAME(e.ioe_result, size_of(i));
        SAME(iov->iov_len, size_of(i));
        free(iov);
    }
    ZERO(pthread_join(t, NULL));
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd[1]), 0);
    CHECK(sees_end(fd[0]));
    OK(close(fd[0]));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    put_pattern(out, 0, sizeof out);
    for (int which = 0; which < STREAMS; which++)
        run(which);
    return 0;
}
