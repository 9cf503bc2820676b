/* A write on a descriptor that is not attached, to a peer that is gone, raises SIGPIPE as libc's does: rule 1.1. */
#include "test.h"

static int seen;

static void on_signal(int sig)
{
    SAME(sig, SIGPIPE);
    seen++;
}

int main(void)
{
    int fd[2];

    signal(SIGPIPE, on_signal);
    OK(ioeventpipe(1));
    OK(pipe(fd));
    OK(close(fd[0]));
    FAILS(ioevent_write(fd[1], "x", 1), EPIPE);
    SAME(seen, 1);
    unix_pair(fd);
    OK(close(fd[0]));
    FAILS(ioevent_send(fd[1], "x", 1, 0), EPIPE);
    SAME(seen, 2);
    FAILS(ioevent_send(fd[1], "x", 1, MSG_NOSIGNAL), EPIPE);
    SAME(seen, 2);
    return 0;
}
