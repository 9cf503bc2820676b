/* A write to a stream completes when all its bytes were taken, in one event: rule 2.4. */
#include "test.h"

enum { SIZE = 5000003 };

static char out[SIZE], in[SIZE];
static int reading;

static void *reader(void *unused)
{
    TEST_HERE("reader");
    read_all(reading, in, SIZE);
    return unused;
}

static void run(int which, int how)
{
    int fd[2], p = OK(ioeventpipe(4));
    struct iovec iov[3] = { { out, 1 }, { out + 1, SIZE / 2 }, { out + 1 + SIZE / 2, SIZE - SIZE / 2 - 1 } };
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 3 };
    pthread_t t;

    if (!stream_pair(which, fd))
        return;
    memset(in, 0, SIZE);
    ATTACH(fd[1], p, 1);
    if (how == 0)
        QUEUED(ioevent_write(fd[1], out, SIZE));
    else if (how == 1)
        QUEUED(ioevent_writev(fd[1], iov, 3));
    else if (which == STREAM_PIPE)
        QUEUED(ioevent_write(fd[1], out, SIZE));
    else if (how == 2)
        QUEUED(ioevent_send(fd[1], out, SIZE, MSG_DONTWAIT | MSG_NOSIGNAL));
    else
        QUEUED(ioevent_sendmsg(fd[1], &msg, 0));
    STAYS_QUIET(p); /* nobody reads */
    reading = fd[0];
    t = start_thread(reader, NULL);
    EXPECT(p, 1, SIZE, 0);
    ZERO(pthread_join(t, NULL));
    CHECK(memcmp(in, out, SIZE) == 0);
    QUIET(p);
    GIVES(ioevent_close(fd[1]), 0);
    CHECK(sees_end(fd[0]));
    OK(close(fd[0]));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    put_pattern(out, 0, SIZE);
    for (int which = 0; which < STREAMS; which++)
        for (int how = 0; how < 4; how++)
            run(which, how);
    return 0;
}
