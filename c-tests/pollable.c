/*
 * The descriptor of a pipe with O_NONBLOCK set is readable for poll, select and level-triggered epoll whenever a
 * harvest would return an event: rule 3.6. Posted events, completions, and events left by a harvest that takes one.
 */
#include "test.h"
#include <sys/epoll.h>
#include <sys/select.h>

enum way { POLL, SELECT, EPOLL, WAYS };

static int p, ep;

/* Waits as another event loop would; true when the pipe is readable. */
static bool readable(enum way way, int ms)
{
    if (way == POLL) {
        struct pollfd f = { .fd = p, .events = POLLIN };

        if (OK(poll(&f, 1, ms)) == 0)
            return false;
        SAME(f.revents, POLLIN);
        return true;
    }
    if (way == SELECT) {
        fd_set set;
        struct timeval t = { ms / 1000, ms % 1000 * 1000 };

        FD_ZERO(&set);
        FD_SET(p, &set);
        return OK(select(p + 1, &set, NULL, NULL, ms < 0 ? NULL : &t)) == 1;
    } else {
        struct epoll_event e;

        if (OK(epoll_wait(ep, &e, 1, ms)) == 0)
            return false;
        SAME(e.data.fd, p);
        CHECK(e.events & EPOLLIN);
        return true;
    }
}

/* The next event, waited for in this way; wake-ups without an event are allowed. */
static struct ioevent next(enum way way)
{
    struct ioevent e;

    for (;;) {
        ssize_t n;

        CHECK(readable(way, -1));
        n = ioevent_read(p, &e, sizeof e);
        if (n == sizeof e)
            return e;
        SAME(n, -1);
        SAME(errno, EAGAIN);
    }
}

static void run(enum way way)
{
    int fd[2], l, c;
    char b[4];
    struct ioevent post[3] = { { USER(1), 1, 0 }, { USER(2), 2, 0 }, { USER(3), 3, 0 } };
    struct address a;

    /* posted: three at once, read one by one */
    for (int round = 0; round < 20; round++) {
        GIVES(ioevent_write(p, post, sizeof post), sizeof post);
        for (int i = 1; i <= 3; i++) {
            CHECK(readable(way, 0)); /* no other thread is needed for it */
            CHECK(next(way).ioe_user == USER(i));
        }
        FAILS(ioevent_read(p, post, sizeof post), EAGAIN);
    }

    for (int which = 0; which < STREAMS; which++) {
        if (!stream_pair(which, fd))
            continue;
        ATTACH(fd[0], p, 4);
        ATTACH(fd[1], p, 5);

        /* completions that come from outside, one and several */
        for (int round = 0; round < 20; round++) {
            QUEUED(ioevent_read(fd[0], b, 1));
            if (round % 2)
                FAILS(ioevent_read(p, post, sizeof post), EAGAIN);
            OK(write(fd[1], "x", 1));
            CHECK(next(way).ioe_user == USER(4));
        }
        for (int i = 0; i < 3; i++)
            QUEUED(ioevent_read(fd[0], b, 1));
        OK(write(fd[1], "xyz", 3));
        for (int i = 0; i < 3; i++) {
            CHECK(readable(way, i ? 0 : -1)); /* once one is there, all are */
            CHECK(next(way).ioe_user == USER(4));
        }

        /* operations that finish at once */
        OK(write(fd[1], "xyz", 3));
        for (int i = 0; i < 3; i++)
            QUEUED(ioevent_read(fd[0], b, 1));
        for (int i = 0; i < 3; i++) {
            CHECK(readable(way, i ? 0 : -1));
            CHECK(next(way).ioe_user == USER(4));
        }
        QUEUED(ioevent_poll(fd[1], POLLOUT));
        CHECK(readable(way, 0));
        CHECK(next(way).ioe_user == USER(5));

        /* operations that are ended */
        QUEUED(ioevent_read(fd[0], b, 1));
        QUEUED(ioevent_read(fd[0], b, 1));
        GIVES(ioevent_cancel(fd[0]), 2);
        CHECK(readable(way, 0));
        SAME(next(way).ioe_errno, ECANCELED);
        CHECK(readable(way, 0));
        SAME(next(way).ioe_errno, ECANCELED);
        QUEUED(ioevent_read(fd[0], b, 1));
        GIVES(ioevent_close(fd[0]), 0);
        CHECK(readable(way, 0));
        SAME(next(way).ioe_errno, ECANCELED);
        GIVES(ioevent_close(fd[1]), 0);
    }

    /* a connection */
    l = listener(AF_INET, 2, &a);
    ATTACH(l, p, 6);
    QUEUED(ioevent_accept(l, NULL, NULL));
    c = OK(socket(AF_INET, SOCK_STREAM, 0));
    ATTACH(c, p, 7);
    QUEUED(ioevent_connect(c, SOCKADDR(&a), a.length));
    for (int i = 0; i < 2; i++) {
        struct ioevent e = next(way);

        SAME(e.ioe_errno, 0);
        if (e.ioe_user == USER(6))
            OK(close(e.ioe_result));
    }
    GIVES(ioevent_close(l), 0);
    GIVES(ioevent_close(c), 0);

    /* with nothing to come it does not stay readable */
    FAILS(ioevent_read(p, post, sizeof post), EAGAIN);
    for (int spurious = 0; readable(way, 20); spurious++) {
        FAILS(ioevent_read(p, post, sizeof post), EAGAIN);
        CHECK(spurious < 10);
    }
}

/* O_NONBLOCK is set when events are there already, or about to come. */
static void set_late(enum way way)
{
    int fd[2];
    char b[4];

    unix_pair(fd);
    ATTACH(fd[0], p, 8);
    for (int what = 0; what < 3; what++) {
        OK(ioevent_fcntl(p, F_SETFL, 0));
        if (what == 0)
            GIVES(ioevent_write(p, &(struct ioevent){ USER(8), 1, 0 }, sizeof(struct ioevent)), sizeof(struct ioevent));
        else
            QUEUED(ioevent_read(fd[0], b, 4));
        if (what == 1) {
            OK(write(fd[1], "x", 1));
        } else if (what == 2) {
            QUIET(p);
            GIVES(ioevent_cancel(fd[0]), 1);
        }
        OK(ioevent_fcntl(p, F_SETFL, O_NONBLOCK));
        CHECK(readable(way, 0));
        CHECK(next(way).ioe_user == USER(8));
    }
    GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
}

int main(void)
{
    for (int i = 0; i < 2; i++) {
        if (i == 0) {
            p = OK(ioeventpipe2(16, O_NONBLOCK | O_CLOEXEC));
        } else { /* set later */
            p = OK(ioeventpipe(16));
            OK(ioevent_fcntl(p, F_SETFL, O_NONBLOCK));
        }
        ep = OK(epoll_create1(0));
        OK(epoll_ctl(ep, EPOLL_CTL_ADD, p, &(struct epoll_event){ .events = EPOLLIN, .data.fd = p }));
        for (int way = 0; way < WAYS; way++) {
            run(way);
            set_late(way);
        }
        OK(close(ep));
        GIVES(ioevent_close(p), 0);
    }
    return 0;
}
