/*
 * An operation makes progress while no thread harvests: a large write goes on while the program only reads with libc:
 * rule 2.7.
 */
#include "test.h"

enum { SIZE = 8 << 20 };

static unsigned char out[SIZE], in[SIZE];

int main(void)
{
    int fd[2], p = OK(ioeventpipe(8)), l, c;
    struct address a;
    char b[8];

    put_pattern(out, 0, SIZE);
    for (int which = 0; which < STREAMS; which++) {
        if (!stream_pair(which, fd))
            continue;
        ATTACH(fd[1], p, 1);
        QUEUED(ioevent_write(fd[1], out, SIZE));
        read_all(fd[0], in, SIZE);
        CHECK(memcmp(in, out, SIZE) == 0);
        EXPECT(p, 1, SIZE, 0);
        GIVES(ioevent_close(fd[1]), 0);
        OK(close(fd[0]));
    }

    /* a connection is accepted, data is read */
    l = listener(AF_UNIX, 0, &a);
    ATTACH(l, p, 2);
    for (int i = 0; i < 4; i++)
        QUEUED(ioevent_accept(l, NULL, NULL));
    for (int i = 0; i < 4; i++) { /* the queue holds one: each connect waits for the accept before it */
        c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
        OK(connect(c, SOCKADDR(&a), a.length));
    }
    unix_pair(fd);
    ATTACH(fd[0], p, 3);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    OK(write(fd[1], "abc", 3));
    UNTIL(poll(&(struct pollfd){ .fd = fd[0], .events = POLLIN }, 1, 0) == 0);
    for (int i = 0; i < 5; i++)
        SAME(HARVEST(p).ioe_errno, 0);
    return 0;
}
