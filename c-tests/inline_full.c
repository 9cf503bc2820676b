/*
 * With IOEVENT_INLINE what can be finished at once needs no place, so it works on a full pipe; what cannot gives
 * EIOEVENTFULL there, and changes nothing: rule 2.8, rule 2.1.
 */
#include "test.h"

static int p, fd[2], l, c;
static struct address a;

static void in_line(int f)
{
    ATTACH(f, p, f);
    GIVES(ioevent_fcntl(f, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
}

static void full(void)
{
    char b[8], x[8] = "xxxxxxx";
    struct iovec iov = { x, 8 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    int s;

    /* what waits for something is refused */
    for (int again = 0; again < 2; again++) {
        FAILS(ioevent_read(fd[0], x, 8), EIOEVENTFULL);
        FAILS(ioevent_readv(fd[0], &iov, 1), EIOEVENTFULL);
        FAILS(ioevent_recv(fd[0], x, 8, MSG_DONTWAIT), EIOEVENTFULL);
        FAILS(ioevent_recvfrom(fd[0], x, 8, 0, NULL, NULL), EIOEVENTFULL);
        FAILS(ioevent_recvmsg(fd[0], &msg, 0), EIOEVENTFULL);
        FAILS(ioevent_recv(fd[0], x, 8, MSG_WAITALL), EIOEVENTFULL);
        FAILS(ioevent_accept(l, NULL, NULL), EIOEVENTFULL);
        FAILS(ioevent_accept4(l, NULL, NULL, 0), EIOEVENTFULL);
        FAILS(ioevent_poll(fd[0], POLLIN), EIOEVENTFULL);
    }
    CHECK(memcmp(x, "xxxxxxx", 8) == 0);

    /* what can be done is done */
    for (int again = 0; again < 3; again++) {
        GIVES(ioevent_write(fd[0], "abc", 3), 3);
        GIVES(ioevent_send(fd[0], "de", 2, 0), 2);
        read_all(fd[1], b, 5);
        CHECK(memcmp(b, "abcde", 5) == 0);
        OK(write(fd[1], "012345", 6));
        GIVES(ioevent_poll(fd[0], POLLIN | POLLOUT), POLLIN | POLLOUT);
        GIVES(ioevent_read(fd[0], b, 2), 2);
        GIVES(ioevent_recv(fd[0], b + 2, 2, MSG_WAITALL), 2);
        GIVES(ioevent_recv(fd[0], b + 4, 8, 0), 2);
        CHECK(memcmp(b, "012345", 6) == 0);
        c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
        in_line(c);
        GIVES(ioevent_connect(c, SOCKADDR(&a), a.length), 0);
        s = OK(ioevent_accept(l, NULL, NULL));
        OK(close(s));
        GIVES(ioevent_read(c, b, 8), 0);
        GIVES(ioevent_close(c), 0);
    }

    /* nor is there room to write: nothing is */
    {
        size_t n = fill_up(fd[0]);

        FAILS(ioevent_write(fd[0], "abc", 3), EIOEVENTFULL);
        FAILS(ioevent_send(fd[0], "abc", 3, 0), EIOEVENTFULL);
        FAILS(ioevent_poll(fd[0], POLLOUT), EIOEVENTFULL);
        SAME(drain(fd[1]), n);
        GIVES(ioevent_write(fd[0], "abc", 3), 3);
        SAME(drain(fd[1]), 3);
    }
}

int main(void)
{
    struct ioevent post[2] = { { USER(1), 1, 0 }, { USER(2), 2, 0 } };
    char b[8];

    p = OK(ioeventpipe(2));
    unix_pair(fd);
    l = listener(AF_UNIX, 4, &a);
    in_line(fd[0]);
    in_line(l);
    /* full of events, */
    GIVES(ioevent_write(p, post, sizeof post), sizeof post);
    full();
    EXPECT(p, 1, 1, 0);
    EXPECT(p, 2, 2, 0);
    QUIET(p);
    /* and of operations that wait */
    QUEUED(ioevent_poll(fd[0], POLLPRI));
    QUEUED(ioevent_poll(fd[0], POLLPRI));
    full();
    GIVES(ioevent_cancel(fd[0]), 2);
    FAILS(ioevent_read(fd[0], b, 8), EIOEVENTFULL); /* until they are read */
    EXPECT(p, fd[0], -1, ECANCELED);
    QUEUED(ioevent_read(fd[0], b, 8));
    FAILS(ioevent_read(fd[0], b, 8), EIOEVENTFULL);
    EXPECT(p, fd[0], -1, ECANCELED);
    OK(write(fd[1], "abc", 3));
    EXPECT(p, fd[0], 3, 0);
    STAYS_QUIET(p);
    return 0;
}
