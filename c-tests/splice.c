/*
 * splice between pipes and sockets, and between pipes: the count, and 0 at the end of what the source has: rule 2.4.
 * It belongs to the destination if that is attached, else to the source: rule 4.2.
 */
#include "test.h"

static int p, q;
static char b[100];

static void run(int which)
{
    int x[2], fd[2];

    if (!stream_pair(which, fd))
        return;
    OK(pipe2(x, O_CLOEXEC));
    ATTACH(fd[1], p, 1); /* what goes out of the pipe into the stream */
    OK(write(x[1], "hello", 5));
    QUEUED(ioevent_splice(x[0], NULL, fd[1], NULL, 2, 0));
    EXPECT(p, 1, 2, 0);
    QUEUED(ioevent_splice(x[0], NULL, fd[1], NULL, 100, SPLICE_F_MOVE | SPLICE_F_MORE | SPLICE_F_NONBLOCK));
    EXPECT(p, 1, 3, 0);
    OK(write(fd[1], "!", 1)); /* after SPLICE_F_MORE, that something goes out */
    read_all(fd[0], b, 6);
    CHECK(memcmp(b, "hello!", 6) == 0);

    ATTACH(x[1], q, 2); /* and from the stream into the pipe */
    OK(write(fd[1], "world", 5));
    QUEUED(ioevent_splice(fd[0], NULL, x[1], NULL, 2, SPLICE_F_NONBLOCK));
    EXPECT(q, 2, 2, 0);
    QUEUED(ioevent_splice(fd[0], NULL, x[1], NULL, 100, 0));
    EXPECT(q, 2, 3, 0);
    read_all(x[0], b, 5);
    CHECK(memcmp(b, "world", 5) == 0);

    /* the source is attached, the destination is not; both; none */
    DETACH(x[1]);
    ATTACH(fd[0], p, 3);
    OK(write(fd[1], "abcdef", 6));
    QUEUED(ioevent_splice(fd[0], NULL, x[1], NULL, 2, 0));
    EXPECT(p, 3, 2, 0);
    ATTACH(x[1], q, 4);
    QUEUED(ioevent_splice(fd[0], NULL, x[1], NULL, 2, 0));
    EXPECT(q, 4, 2, 0);
    DETACH(x[1]);
    DETACH(fd[0]);
    GIVES(ioevent_splice(fd[0], NULL, x[1], NULL, 2, 0), 2);
    read_all(x[0], b, 6);
    CHECK(memcmp(b, "abcdef", 6) == 0);

    /* nothing asked for; the end */
    QUEUED(ioevent_splice(x[0], NULL, fd[1], NULL, 0, 0));
    EXPECT(p, 1, 0, 0);
    OK(close(x[1]));
    QUEUED(ioevent_splice(x[0], NULL, fd[1], NULL, 10, 0));
    EXPECT(p, 1, 0, 0);
    GIVES(ioevent_close(fd[1]), 0);
    OK(close(x[0]));
    OK(pipe2(x, O_CLOEXEC));
    ATTACH(x[1], q, 5);
    QUEUED(ioevent_splice(fd[0], NULL, x[1], NULL, 10, 0));
    EXPECT(q, 5, 0, 0);
    GIVES(ioevent_close(x[1]), 0);
    OK(close(x[0]));
    OK(close(fd[0]));
}

int main(void)
{
    p = OK(ioeventpipe(8));
    q = OK(ioeventpipe(8));
    for (int which = 0; which < STREAMS; which++)
        run(which);
    STAYS_QUIET(p);
    STAYS_QUIET(q);
    return 0;
}
