/*
 * sendfile from a socket into a pipe, where the kernel has it (EINVAL where not), waits for data as the blocking call
 * does, and can be ended: rule 2.4, rule 4.7.
 */
#include "test_file.h"
#include <sys/sendfile.h>

static void run(int which, bool of_source)
{
    int p = OK(ioeventpipe(4)), fd[2], x[2], mine;
    char b[8];

    if (!stream_pair(which, fd))
        return;
    OK(pipe2(x, O_CLOEXEC));
    mine = of_source ? fd[0] : x[1];
    OK(write(fd[1], "abc", 3));
    if (sendfile(x[1], fd[0], NULL, 3) == -1) {
        SAME(errno, EINVAL);
        ATTACH(mine, p, 1);
        EITHER(ioevent_sendfile(x[1], fd[0], NULL, 3), p, 1, EINVAL);
    } else {
        ATTACH(mine, p, 1);
        read_all(x[0], b, 3);
        QUEUED(ioevent_sendfile(x[1], fd[0], NULL, 3));
        STAYS_QUIET(p);
        OK(write(fd[1], "def", 3));
        EXPECT(p, 1, 3, 0);
        read_all(x[0], b, 3);
        CHECK(memcmp(b, "def", 3) == 0);
        QUEUED(ioevent_sendfile(x[1], fd[0], NULL, 3));
        STAYS_QUIET(p);
        GIVES(ioevent_cancel(mine), 1);
        EXPECT(p, 1, -1, ECANCELED);
        OK(write(fd[1], "ghi", 3));
        STAYS_QUIET(p);
        SAME(drain(x[0]), 0);
        read_all(fd[0], b, 3);
    }
    GIVES(ioevent_close(mine), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int which = 0; which < STREAM_PIPE; which++) {
        run(which, false);
        run(which, true);
    }
    return 0;
}
