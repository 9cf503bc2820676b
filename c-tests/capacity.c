/*
 * nevents bounds the operations outstanding and the events posted, together; harvesting an event gives its place
 * back: rule 3.1. At the bound every kind of call gives EIOEVENTFULL, and nothing was changed: rule 2.1.
 */
#include "test.h"

enum { PLACES = 5 };

int main(void)
{
    int fd[2], idle[2], p = OK(ioeventpipe(PLACES)), l, c, other = OK(ioeventpipe(1));
    char b[8], x[8] = "xxxxxxx";
    struct iovec iov = { x, 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct address a, peer = { .length = sizeof peer.storage };
    struct ioevent post[PLACES + 1] = { { USER(90), 900, 9 }, { USER(91), 910, 8 } }, e[PLACES + 1];

    unix_pair(fd);
    unix_pair(idle);
    l = listener(AF_INET, 4, &a);
    c = OK(socket(AF_INET, SOCK_STREAM, 0));
    OK(connect(c, SOCKADDR(&a), a.length)); /* waits to be accepted */
    c = OK(socket(AF_INET, SOCK_STREAM, 0));
    ATTACH(fd[0], p, 1);
    ATTACH(idle[0], p, 2);
    ATTACH(l, p, 3);
    ATTACH(c, p, 4);
    OK(write(fd[1], "abcdef", 6));

    for (int round = 0; round < 3; round++) {
        /* two posted, one finished at once, two that wait: full */
        GIVES(ioevent_write(p, post, 2 * sizeof *post), 2 * sizeof *post);
        QUEUED(ioevent_read(fd[0], b, 2));
        QUEUED(ioevent_read(idle[0], x, 1));
        QUEUED(ioevent_poll(idle[0], POLLIN));
        for (int again = 0; again < 2; again++) {
            FAILS(ioevent_read(fd[0], x, 8), EIOEVENTFULL);
            FAILS(ioevent_readv(fd[0], &iov, 1), EIOEVENTFULL);
            FAILS(ioevent_recv(fd[0], x, 8, 0), EIOEVENTFULL);
            FAILS(ioevent_recvfrom(fd[0], x, 8, 0, NULL, NULL), EIOEVENTFULL);
            FAILS(ioevent_recvmsg(fd[0], &msg, 0), EIOEVENTFULL);
            FAILS(ioevent_write(fd[0], x, 1), EIOEVENTFULL);
            FAILS(ioevent_writev(fd[0], &iov, 1), EIOEVENTFULL);
            FAILS(ioevent_send(fd[0], x, 1, 0), EIOEVENTFULL);
            FAILS(ioevent_sendto(fd[0], x, 1, 0, NULL, 0), EIOEVENTFULL);
            FAILS(ioevent_sendmsg(fd[0], &msg, 0), EIOEVENTFULL);
            FAILS(ioevent_accept(l, NULL, NULL), EIOEVENTFULL);
            FAILS(ioevent_accept4(l, NULL, NULL, 0), EIOEVENTFULL);
            FAILS(ioevent_connect(c, SOCKADDR(&a), a.length), EIOEVENTFULL);
            FAILS(ioevent_poll(fd[0], POLLIN), EIOEVENTFULL);
            FAILS(ioevent_write(p, post, sizeof *post), EIOEVENTFULL);
        }
        CHECK(memcmp(x, "xxxxxxx", 8) == 0);

        /* nothing was changed */
        SAME(drain(fd[1]), 0);
        FAILS(getpeername(c, SOCKADDR(&peer), &peer.length), ENOTCONN);
        SAME(msg.msg_iovlen, 1);

        /* each event read gives one place, no more */
        GIVES(ioevent_wait(p, e, 1, &no_wait), 1);
        QUEUED(ioevent_poll(idle[0], POLLIN));
        FAILS(ioevent_poll(idle[0], POLLIN), EIOEVENTFULL);
        GIVES(ioevent_wait(p, e, PLACES + 1, &no_wait), 2);
        GIVES(ioevent_write(p, post, 2 * sizeof *post), 2 * sizeof *post);
        FAILS(ioevent_write(p, post, sizeof *post), EIOEVENTFULL);

        /* an operation that is over but not read keeps its place */
        GIVES(ioevent_cancel(idle[0]), 3);
        FAILS(ioevent_poll(idle[0], POLLIN), EIOEVENTFULL);
        GIVES(ioevent_wait(p, e, PLACES + 1, &no_wait), PLACES);
        QUIET(p);

        /* a second pipe has places of its own */
        ATTACH(idle[1], other, 5);
        QUEUED(ioevent_poll(idle[1], POLLIN));
        FAILS(ioevent_poll(idle[1], POLLIN), EIOEVENTFULL);
        GIVES(ioevent_cancel(idle[1]), 1);
        EXPECT(other, 5, -1, ECANCELED);
    }
    /* what was refused can be done now: the connection and all the data are still there */
    QUEUED(ioevent_accept(l, NULL, NULL));
    CHECK(HARVEST(p).ioe_result > 0);
    SAME(drain(fd[0]), 0);
    return 0;
}
