/* readv and writev: the iovecs are filled and written in their order, as the blocking call does: rule 2.4. */
#include "test.h"

static void run(int which)
{
    int fd[2], p = OK(ioeventpipe(4));
    char a[4], b[1], c[8];
    struct iovec in[4] = { { a, sizeof a }, { NULL, 0 }, { b, sizeof b }, { c, sizeof c } };
    struct iovec out[3] = { { "ab", 2 }, { "", 0 }, { "cdefgh", 6 } };

    if (!stream_pair(which, fd))
        return;
    ATTACH(fd[0], p, 1);
    ATTACH(fd[1], p, 2);
    memset(c, '.', sizeof c);
    QUEUED(ioevent_readv(fd[0], in, 4));
    QUIET(p);
    GIVES(writev(fd[1], out, 3), 8);
    EXPECT(p, 1, 8, 0);
    CHECK(memcmp(a, "abcd", 4) == 0 && b[0] == 'e' && memcmp(c, "fgh.....", 8) == 0);

    QUEUED(ioevent_writev(fd[1], out, 3));
    EXPECT(p, 2, 8, 0);
    memset(a, 0, sizeof a);
    QUEUED(ioevent_readv(fd[0], in, 1));
    EXPECT(p, 1, 4, 0);
    CHECK(memcmp(a, "abcd", 4) == 0);
    QUEUED(ioevent_readv(fd[0], in, 4));
    EXPECT(p, 1, 4, 0);
    CHECK(memcmp(a, "efgh", 4) == 0);
    QUIET(p);
    GIVES(ioevent_close(fd[0]), 0);
    GIVES(ioevent_close(fd[1]), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int which = 0; which < STREAMS; which++)
        run(which);
    return 0;
}
