/*
 * Plain close of a pipe whose number becomes an ordinary file that is then attached to another pipe: noticed there,
 * and the file is used as any other: rule 3.7.
 */
#include "test.h"

int main(void)
{
    int q = OK(ioeventpipe(8)), p = OK(ioeventpipe(8)), fd[2], x[2];
    char b[8], c[8];

    unix_pair(fd);
    unix_pair(x);
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    OK(close(p));
    OK(dup2(x[0], p));
    ATTACH(p, q, 3);
    ATTACHED(p, q, 3);
    QUEUED(ioevent_read(p, c, sizeof c));
    QUIET(q);
    OK(write(x[1], "abc", 3));
    EXPECT(q, 3, 3, 0);
    CHECK(memcmp(c, "abc", 3) == 0);
    QUEUED(ioevent_write(p, "defg", 4));
    EXPECT(q, 3, 4, 0);
    read_all(x[1], c, 4);
    CHECK(memcmp(c, "defg", 4) == 0);
    ATTACHED(fd[0], -1, 0); /* its pipe is gone */
    STAYS_QUIET(q);
    GIVES(ioevent_close(p), 0);
    GIVES(ioevent_close(q), 0);
    return 0;
}
