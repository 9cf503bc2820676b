/*
 * An operation that waited behind one of the former pipe of its descriptor goes on when that is closed: nothing new
 * comes that would tell of it: rule 3.7, rule 4.2.
 */
#include "test.h"

static void transfer(int fd)
{
    int full[2];

    OK(pipe2(full, O_CLOEXEC | O_NONBLOCK));
    fill_up(full[1]);
    QUEUED(ioevent_splice(fd, NULL, full[1], NULL, 10, 0));
}

int main(void)
{
    for (int i = 0; i < 2; i++) {
        int former = OK(ioeventpipe(4)), p = OK(ioeventpipe(4)), fd[2];
        char b[8];

        OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
        OK(write(fd[1], "0123456789", 10));
        ATTACH(fd[0], former, 1);
        transfer(fd[0]);
        STAYS_QUIET(former);
        ATTACH(fd[0], p, 2);
        QUEUED(ioevent_read(fd[0], b, 5));
        STAYS_QUIET(p);
        GIVES(ioevent_close(former), 0);
        EXPECT(p, 2, 5, 0);
        CHECK(memcmp(b, "01234", 5) == 0);
        GIVES(ioevent_close(p), 0);
    }
    return 0;
}
