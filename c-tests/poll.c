/*
 * ioevent_poll is the operation for "ready": its result is revents, said of the moment the event was made, whatever
 * was read or written before by other means: rule 2.10. Polls stand outside the order: rule 2.5.
 */
#include "test.h"

int main(void)
{
    int fd[2], p = OK(ioeventpipe(16));
    char b[16];

    CHECK(tcp_pair(AF_INET, fd));
    ATTACH(fd[0], p, 1);

    /* writable at once, readable later */
    QUEUED(ioevent_poll(fd[0], POLLIN));
    QUIET(p);
    QUEUED(ioevent_poll(fd[0], POLLOUT));
    EXPECT(p, 1, POLLOUT, 0);
    QUIET(p);
    OK(write(fd[1], "abc", 3));
    EXPECT(p, 1, POLLIN, 0);

    /* still readable: each poll says so anew */
    QUEUED(ioevent_poll(fd[0], POLLIN));
    EXPECT(p, 1, POLLIN, 0);
    QUEUED(ioevent_poll(fd[0], POLLIN | POLLOUT));
    EXPECT(p, 1, POLLIN | POLLOUT, 0);

    /* partly read by other means, then by the library: still readable */
    GIVES(read(fd[0], b, 1), 1);
    QUEUED(ioevent_poll(fd[0], POLLIN));
    EXPECT(p, 1, POLLIN, 0);
    QUEUED(ioevent_read(fd[0], b, 1));
    EXPECT(p, 1, 1, 0);
    QUEUED(ioevent_poll(fd[0], POLLIN));
    EXPECT(p, 1, POLLIN, 0);

    /* all read by other means: not readable, until more comes */
    GIVES(read(fd[0], b, sizeof b), 1);
    QUEUED(ioevent_poll(fd[0], POLLIN));
    STAYS_QUIET(p);
    OK(write(fd[1], "def", 3));
    EXPECT(p, 1, POLLIN, 0);
    GIVES(read(fd[0], b, sizeof b), 3);

    /* several at once, beside a read */
    QUEUED(ioevent_poll(fd[0], POLLIN));
    QUEUED(ioevent_poll(fd[0], POLLIN));
    QUEUED(ioevent_poll(fd[0], POLLRDHUP));
    QUIET(p);
    OK(write(fd[1], "g", 1));
    EXPECT(p, 1, POLLIN, 0);
    EXPECT(p, 1, POLLIN, 0);
    STAYS_QUIET(p);
    OK(shutdown(fd[1], SHUT_WR));
    EXPECT(p, 1, POLLRDHUP, 0);

    /* the hang-up comes without being asked for */
    QUEUED(ioevent_poll(fd[0], 0));
    STAYS_QUIET(p);
    OK(shutdown(fd[0], SHUT_WR));
    SAME(HARVEST(p).ioe_result & POLLHUP, POLLHUP);
    QUEUED(ioevent_poll(fd[0], POLLIN));
    SAME(HARVEST(p).ioe_result, POLLIN | POLLHUP);

    /* cancel */
    GIVES(ioevent_close(fd[0]), 0);
    OK(pipe(fd));
    ATTACH(fd[0], p, 2);
    QUEUED(ioevent_poll(fd[0], POLLIN));
    QUEUED(ioevent_poll(fd[0], 0));
    GIVES(ioevent_cancel(fd[0]), 2);
    EXPECT(p, 2, -1, ECANCELED);
    EXPECT(p, 2, -1, ECANCELED);
    QUEUED(ioevent_poll(fd[0], 0));
    QUIET(p);
    OK(close(fd[1]));
    EXPECT(p, 2, POLLHUP, 0);
    STAYS_QUIET(p);
    return 0;
}
