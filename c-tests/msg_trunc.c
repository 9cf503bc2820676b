/* MSG_TRUNC: the result is the datagram's real length: rule 2.4. */
#include "test.h"

int main(void)
{
    int fd[2], p = OK(ioeventpipe(8));
    char a[4];

    OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd));
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_recv(fd[0], a, 4, MSG_TRUNC));
    QUEUED(ioevent_recv(fd[0], NULL, 0, MSG_TRUNC | MSG_PEEK)); /* how long is the next? */
    QUEUED(ioevent_recv(fd[0], a, 4, 0));
    QUIET(p);
    OK(send(fd[1], "abcdefghij", 10, 0));
    OK(send(fd[1], "klmnopq", 7, 0));
    EXPECT(p, 1, 10, 0);
    EXPECT(p, 1, 7, 0);
    EXPECT(p, 1, 4, 0);
    CHECK(memcmp(a, "klmn", 4) == 0);
    STAYS_QUIET(p);
    return 0;
}
