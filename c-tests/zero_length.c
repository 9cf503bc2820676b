/* Operations of no bytes complete with 0 at once, as the blocking calls do: rule 2.4. */
#include "test.h"

int main(void)
{
    int fd[2], p = OK(ioeventpipe(8));
    char b[4];
    struct iovec iov = { b, 0 };

    for (int which = 0; which < STREAMS; which++) {
        if (!stream_pair(which, fd))
            continue;
        ATTACH(fd[0], p, 1);
        ATTACH(fd[1], p, 2);
        QUEUED(ioevent_read(fd[0], b, 0));
        EXPECT(p, 1, 0, 0);
        QUEUED(ioevent_readv(fd[0], &iov, 1));
        EXPECT(p, 1, 0, 0);
        QUEUED(ioevent_readv(fd[0], &iov, 0));
        EXPECT(p, 1, 0, 0);
        QUEUED(ioevent_write(fd[1], b, 0));
        EXPECT(p, 2, 0, 0);
        QUEUED(ioevent_writev(fd[1], &iov, 1));
        EXPECT(p, 2, 0, 0);
        QUEUED(ioevent_writev(fd[1], &iov, 0));
        EXPECT(p, 2, 0, 0);
        QUIET(p);
        GIVES(ioevent_close(fd[0]), 0);
        GIVES(ioevent_close(fd[1]), 0);
    }
    return 0;
}
