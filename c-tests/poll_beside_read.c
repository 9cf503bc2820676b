/*
 * A poll that waits beside a read is told of the data, although the read takes them all: rule 2.10 ("whatever was read
 * before by other means"). On one pipe, and on two after attaching again.
 */
#include "test.h"

int main(void)
{
    int p = OK(ioeventpipe(8)), q = OK(ioeventpipe(8)), pair[2];
    char b[8];

    ZERO(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    ATTACH(pair[0], p, 1);
    QUEUED(ioevent_read(pair[0], b, sizeof b));
    QUEUED(ioevent_poll(pair[0], POLLIN));
    GIVES(write(pair[1], "ab", 2), 2);
    EXPECT(p, 1, POLLIN, 0);
    EXPECT(p, 1, 2, 0);

    QUEUED(ioevent_read(pair[0], b, 1));
    ATTACH(pair[0], q, 2);
    QUEUED(ioevent_read(pair[0], b + 1, 1));
    QUEUED(ioevent_poll(pair[0], POLLIN));
    GIVES(write(pair[1], "cd", 2), 2);
    EXPECT(p, 1, 1, 0);
    EXPECT(q, 2, POLLIN, 0);
    EXPECT(q, 2, 1, 0);
    CHECK(memcmp(b, "cd", 2) == 0);
    GIVES(ioevent_close(pair[0]), 0);
    OK(close(pair[1]));
    GIVES(ioevent_close(p), 0);
    GIVES(ioevent_close(q), 0);
    return 0;
}
