/*
 * A stream between two threads, both ends with IOEVENT_INLINE, some calls finished directly and some queued: all bytes
 * come, once and in order, and each queued call has one event: rule 2.8, rule 2.5, rule 2.2. Pipes of one place do.
 */
#include "test.h"

enum { SIZE = 4 << 20, MOST = 20000 };

static unsigned char out[SIZE];
static int fd[2], p[2], direct[2], queued[2];

/* The result of a call: its own, or that of its event. */
static ssize_t result(int end, ssize_t n)
{
    struct ioevent e;

    if (n != -1) {
        direct[end]++;
        return n;
    }
    SAME(errno, EIOEVENTQUEUED);
    queued[end]++;
    e = HARVEST(p[end]);
    SAME(e.ioe_errno, 0);
    QUIET(p[end]);
    return e.ioe_result;
}

static void *writer(void *unused)
{
    uint64_t seed = 33;

    for (size_t done = 0; done < SIZE;) {
        size_t n = next_random(&seed) % MOST + 1;
        ssize_t r;

        n = n > SIZE - done ? SIZE - done : n;
        r = result(1, next_random(&seed) % 2 ? ioevent_write(fd[1], out + done, n) : ioevent_writev(fd[1],
                   &(struct iovec){ out + done, n }, 1));
        SAME(r, n); /* with a place free it is whole, directly or not */
        done += n;
        if (next_random(&seed) % 64 == 0)
            breathe();
    }
    GIVES(ioevent_close(fd[1]), 0);
    return unused;
}

static void run(int which)
{
    static unsigned char in[MOST];
    uint64_t seed = 44;
    pthread_t t;
    size_t done = 0;
    ssize_t n;

    if (!stream_pair(which, fd))
        return;
    for (int i = 0; i < 2; i++) {
        direct[i] = queued[i] = 0;
        ATTACH(fd[i], p[i], i);
        GIVES(ioevent_fcntl(fd[i], F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    }
    t = start_thread(writer, NULL);
    while ((n = result(0, ioevent_read(fd[0], in, next_random(&seed) % MOST + 1))) > 0) {
        CHECK(is_pattern(in, done, (size_t)n));
        done += (size_t)n;
        if (next_random(&seed) % 64 == 0)
            breathe();
    }
    SAME(n, 0);
    SAME(done, SIZE);
    ZERO(pthread_join(t, NULL));
    CHECK(direct[1] > 0); /* the first one at least */
    GIVES(ioevent_close(fd[0]), 0);
    STAYS_QUIET(p[0]);
    STAYS_QUIET(p[1]);
}

int main(void)
{
    put_pattern(out, 0, SIZE);
    p[0] = OK(ioeventpipe(1));
    p[1] = OK(ioeventpipe(1));
    for (int which = 0; which < STREAMS; which++)
        run(which);
    return 0;
}
