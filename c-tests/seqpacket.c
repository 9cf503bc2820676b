/* Messages of a SOCK_SEQPACKET pair and of datagrams keep their bounds, one for each read: rule 2.4, rule 2.5. */
#include "test.h"

static void run(int type)
{
    int fd[2], p = OK(ioeventpipe(16));
    char b[8][8];

    OK(socketpair(AF_UNIX, type, 0, fd));
    ATTACH(fd[0], p, 1);
    ATTACH(fd[1], p, 2);
    for (int i = 0; i < 8; i++)
        QUEUED(ioevent_read(fd[0], b[i], 8));
    for (int i = 0; i < 8; i++) {
        char text[8] = "0123456";

        OK(write(fd[1], text, (size_t)(i + 1)));
    }
    for (int i = 0; i < 8; i++)
        EXPECT(p, 1, i + 1, 0);
    for (int i = 0; i < 8; i++)
        CHECK(memcmp(b[i], "0123456", (size_t)(i < 7 ? i + 1 : 7)) == 0);
    QUEUED(ioevent_read(fd[0], b[0], 8));
    QUEUED(ioevent_write(fd[1], "ab", 2));
    for (int i = 0; i < 2; i++)
        SAME(HARVEST(p).ioe_result, 2);
    /* three messages that were there before the calls */
    for (int i = 0; i < 3; i++)
        OK(write(fd[1], "abc", (size_t)(i + 1)));
    QUIET(p);
    for (int i = 0; i < 3; i++)
        QUEUED(ioevent_read(fd[0], b[i], 8));
    for (int i = 0; i < 3; i++)
        EXPECT(p, 1, i + 1, 0);
    if (type == SOCK_SEQPACKET) { /* it has an end of file */
        QUEUED(ioevent_read(fd[0], b[0], 8));
        QUIET(p);
        GIVES(ioevent_close(fd[1]), 0);
        EXPECT(p, 1, 0, 0);
    }
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd[0]), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    run(SOCK_SEQPACKET);
    run(SOCK_DGRAM);
    return 0;
}
