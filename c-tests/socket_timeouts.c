/* SO_RCVTIMEO and SO_SNDTIMEO do not end operations, nor calls that are asynchronous by another name: rule 2.4. */
#include "test_connect.h"

int main(void)
{
    static char big[4 << 20];
    struct timeval little = { 0, 1000 };
    struct timespec longer = { 0, 120000000 };
    struct address a, full;
    int p = OK(ioeventpipe(8)), fd[2], filler, l = listener(AF_INET, 2, &a), fl = full_listener(&full, &filler);
    int c = tcp_socket(), new, room = 65536; /* of a socket, so that not all of `big` fits */
    char b[8];
    struct ioevent e;
    struct taker t;

    for (int flags = 0; flags < 2; flags++) {
        CHECK(tcp_pair(AF_INET, fd));
        OK(setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room));
        OK(setsockopt(fd[1], SOL_SOCKET, SO_RCVBUF, &room, sizeof room));
        for (int i = 0; i < 2; i++) {
            OK(setsockopt(fd[i], SOL_SOCKET, SO_RCVTIMEO, &little, sizeof little));
            OK(setsockopt(fd[i], SOL_SOCKET, SO_SNDTIMEO, &little, sizeof little));
        }
        FAILS(read(fd[0], b, 1), EAGAIN); /* the blocking call does end */
        ATTACH(fd[0], p, 1);
        GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTFLAGS, flags ? IOEVENT_INLINE : 0), 0);
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        QUEUED(ioevent_recv(fd[0], b, 1, MSG_WAITALL));
        QUEUED(ioevent_write(fd[0], big, sizeof big));
        GIVES(ioevent_wait(p, &e, 1, &longer), 0);
        OK(write(fd[1], "abc", 3));
        EXPECT(p, 1, 3, 0);
        OK(write(fd[1], "d", 1));
        EXPECT(p, 1, 1, 0);
        for (size_t got = 0; got < sizeof big;)
            got += drain(fd[1]);
        EXPECT(p, 1, sizeof big, 0);
        GIVES(ioevent_close(fd[0]), 0);
        OK(close(fd[1]));
    }

    OK(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &little, sizeof little));
    FAILS(accept(l, NULL, NULL), EAGAIN);
    ATTACH(l, p, 2);
    QUEUED(ioevent_accept(l, NULL, NULL));
    OK(setsockopt(c, SOL_SOCKET, SO_SNDTIMEO, &little, sizeof little));
    ATTACH(c, p, 3);
    QUEUED(ioevent_connect(c, SOCKADDR(&full), full.length));
    GIVES(ioevent_wait(p, &e, 1, &longer), 0);
    start_taking(&t, fl);
    EXPECT(p, 3, 0, 0);
    new = tcp_socket();
    OK(connect(new, SOCKADDR(&a), a.length));
    e = HARVEST(p);
    CHECK(e.ioe_user == USER(2) && e.ioe_result >= 0);
    OK(close(e.ioe_result));
    OK(close(new));
    stop_taking(&t);
    STAYS_QUIET(p);
    return 0;
}
