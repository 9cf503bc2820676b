/*
 * ioevent_queued: true of a call that was queued, and of no other, whatever errno was before: rule 7.2, rule 2.1.
 */
#include "test.h"

int main(void)
{
    int p = OK(ioeventpipe(1)), fd[2], other[2];
    char b[4];

    unix_pair(fd);
    unix_pair(other);
    ATTACH(fd[0], p, 1);
    CHECK(ioevent_queued(ioevent_read(fd[0], b, sizeof b)));
    CHECK(!ioevent_queued(ioevent_write(fd[0], "x", 1)) && errno == EIOEVENTFULL);
    OK(write(fd[1], "abc", 3));
    EXPECT(p, 1, 3, 0);
    CHECK(ioevent_queued(ioevent_poll(fd[0], POLLOUT))); /* an int, too */
    EXPECT(p, 1, POLLOUT, 0);

    /* A result is no event, though errno is what the last call has left there. */
    CHECK(ioevent_queued(ioevent_write(fd[0], "x", 1)));
    SAME(errno, EIOEVENTQUEUED);
    CHECK(!ioevent_queued(ioevent_write(other[0], "xy", 2)));
    OK(ioevent_close(other[0]));
    CHECK(!ioevent_queued(ioevent_read(other[1], b, 2))); /* 2 */
    CHECK(!ioevent_queued(ioevent_read(other[1], b, 2))); /* 0: the end */
    EXPECT(p, 1, 1, 0);
    errno = EIOEVENTQUEUED;
    CHECK(!ioevent_queued(ioevent_read(-1, b, 2)) && errno == EBADF);
    return 0;
}
