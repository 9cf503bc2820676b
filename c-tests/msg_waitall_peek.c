/* MSG_WAITALL with MSG_PEEK waits until all bytes are there and takes none, as the blocking call does: rule 2.4. */
#include "test.h"

int main(void)
{
    int fd[2], p = OK(ioeventpipe(8));
    char a[8] = "", b[8] = "";

    CHECK(tcp_pair(AF_INET, fd));
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_recv(fd[0], a, 8, MSG_WAITALL | MSG_PEEK));
    OK(write(fd[1], "abcd", 4));
    STAYS_QUIET(p);
    OK(write(fd[1], "efgh", 4));
    EXPECT(p, 1, 8, 0);
    CHECK(memcmp(a, "abcdefgh", 8) == 0);
    QUEUED(ioevent_recv(fd[0], b, 8, MSG_WAITALL));
    EXPECT(p, 1, 8, 0);
    CHECK(memcmp(b, "abcdefgh", 8) == 0);
    STAYS_QUIET(p);
    return 0;
}
