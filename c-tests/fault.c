/*
 * A buffer that may not be touched gives EFAULT in the event, and nothing is lost by it: rule 2.6.
 */
#include "test.h"

int main(void)
{
    int fd[2], p = OK(ioeventpipe(8));
    char *bad, b[8];
    struct iovec iov;

    if (on_valgrind())
        SKIP("valgrind reports the bad pointers");
    bad = bad_memory();
    iov = (struct iovec){ bad, 8 };
    for (int which = 0; which < STREAMS; which++) {
        if (!stream_pair(which, fd))
            continue;
        ATTACH(fd[0], p, 1);
        ATTACH(fd[1], p, 2);
        for (int before = 0; before < 2; before++) {
            if (before)
                OK(write(fd[1], "abc", 3));
            QUEUED(ioevent_read(fd[0], bad, 8));
            if (!before) {
                QUIET(p);
                OK(write(fd[1], "abc", 3));
            }
            EXPECT(p, 1, -1, EFAULT);
            QUEUED(ioevent_readv(fd[0], &iov, 1));
            EXPECT(p, 1, -1, EFAULT);
            QUIET(p);
            QUEUED(ioevent_read(fd[0], b, 8));
            EXPECT(p, 1, 3, 0);
            CHECK(memcmp(b, "abc", 3) == 0);
        }
        QUEUED(ioevent_write(fd[1], bad, 8));
        EXPECT(p, 2, -1, EFAULT);
        QUEUED(ioevent_writev(fd[1], &iov, 1));
        EXPECT(p, 2, -1, EFAULT);
        STAYS_QUIET(p);
        /* Nothing is in the stream; to poll(2) of older kernels (6.1) a pipe is readable all the same. */
        set_nonblock(fd[0], true);
        FAILS(read(fd[0], b, 8), EAGAIN);
        set_nonblock(fd[0], false);
        QUEUED(ioevent_write(fd[1], bad, 8));
        EXPECT(p, 2, -1, EFAULT);
        QUEUED(ioevent_read(fd[0], b, 8));
        STAYS_QUIET(p);
        OK(write(fd[1], "abc", 3));
        EXPECT(p, 1, 3, 0);
        GIVES(ioevent_close(fd[0]), 0);
        GIVES(ioevent_close(fd[1]), 0);
    }
    return 0;
}
