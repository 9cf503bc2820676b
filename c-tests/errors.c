/*
 * Errors of the I/O itself come in the event: ECONNRESET, ECONNREFUSED, the end of file for each read: rule 2.6,
 * rule 2.4.
 */
#include "test.h"

int main(void)
{
    int fd[2], p = OK(ioeventpipe(8)), s, gone;
    struct linger now = { 1, 0 };
    struct address a, b;
    char x[4];

    /* the peer resets the connection while a read waits; and before the call */
    for (int before = 0; before < 2; before++) {
        CHECK(tcp_pair(AF_INET, fd));
        OK(setsockopt(fd[1], SOL_SOCKET, SO_LINGER, &now, sizeof now));
        ATTACH(fd[0], p, 1);
        if (!before) {
            QUEUED(ioevent_read(fd[0], x, 4));
            QUIET(p);
        }
        OK(close(fd[1]));
        if (before) {
            CHECK(poll(&(struct pollfd){ .fd = fd[0], .events = POLLIN }, 1, -1) == 1);
            QUEUED(ioevent_read(fd[0], x, 4));
        }
        EXPECT(p, 1, -1, ECONNRESET);
        QUEUED(ioevent_read(fd[0], x, 4));
        EXPECT(p, 1, 0, 0);
        QUEUED(ioevent_write(fd[0], x, 4));
        EXPECT(p, 1, -1, EPIPE);
        GIVES(ioevent_close(fd[0]), 0);
    }

    /* three reads wait and the peer closes: each gets the end of file */
    for (int which = 0; which < STREAMS; which++) {
        if (!stream_pair(which, fd))
            continue;
        ATTACH(fd[0], p, 2);
        for (int i = 0; i < 3; i++)
            QUEUED(ioevent_read(fd[0], x, 4));
        QUIET(p);
        OK(write(fd[1], "ab", 2));
        OK(close(fd[1]));
        EXPECT(p, 2, 2, 0);
        EXPECT(p, 2, 0, 0);
        EXPECT(p, 2, 0, 0);
        QUIET(p);
        GIVES(ioevent_close(fd[0]), 0);
    }

    /* shut down by ourselves */
    unix_pair(fd);
    ATTACH(fd[0], p, 3);
    QUEUED(ioevent_read(fd[0], x, 4));
    QUIET(p);
    OK(shutdown(fd[0], SHUT_RD));
    EXPECT(p, 3, 0, 0);
    GIVES(ioevent_close(fd[0]), 0);

    /* a datagram to a port where nobody is */
    gone = bound_socket(AF_INET, SOCK_DGRAM, &a);
    s = bound_socket(AF_INET, SOCK_DGRAM, &b);
    OK(close(gone));
    OK(connect(s, SOCKADDR(&a), a.length));
    ATTACH(s, p, 4);
    QUEUED(ioevent_read(s, x, 4));
    QUIET(p);
    OK(write(s, "x", 1));
    EXPECT(p, 4, -1, ECONNREFUSED);
    QUEUED(ioevent_read(s, x, 4));
    STAYS_QUIET(p);
    GIVES(ioevent_cancel(s), 1);
    EXPECT(p, 4, -1, ECANCELED);
    GIVES(ioevent_close(s), 0);
    STAYS_QUIET(p);
    return 0;
}
