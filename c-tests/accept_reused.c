/*
 * The number of an accepted descriptor is closed, and is something else by the time it is attached: it is treated as
 * what it is then, whatever was accepted under it: rules 2.4, 4.1, 4.4.
 */
#include "test_file.h"

#include <sys/eventfd.h>

enum { SAME_CONNECTION, OTHER_CONNECTION, MESSAGES, PIPE, COUNTER, DISK, KINDS };

static int p, l;
static struct address a;

static int connected(void)
{
    int c = OK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

    OK(connect(c, SOCKADDR(&a), a.length));
    return c;
}

static int accepted(void)
{
    struct ioevent e;

    QUEUED(ioevent_accept(l, NULL, NULL));
    e = HARVEST(p);
    SAME(e.ioe_errno, 0);
    CHECK(e.ioe_user == USER(1));
    return e.ioe_result;
}

/* The number is this file from now on, which is closed elsewhere. */
static void becomes(int number, int fd)
{
    if (fd != number) { /* most likely it is the lowest that is free */
        OK(dup2(fd, number));
        OK(close(fd));
    }
}

static void run(int kind)
{
    int c = connected(), number = accepted(), fd[2], d = -1;
    char b[16];
    uint64_t count = 3;

    if (kind == OTHER_CONNECTION)
        d = connected();
    if (kind != SAME_CONNECTION)
        OK(close(number));
    switch (kind) {
    case OTHER_CONNECTION: /* given out by accept once more, but not by the library's */
        becomes(number, OK(accept(l, NULL, NULL)));
        break;
    case MESSAGES:
        OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd));
        becomes(number, fd[0]);
        d = fd[1];
        break;
    case PIPE:
        OK(pipe(fd));
        becomes(number, fd[0]);
        d = fd[1];
        break;
    case COUNTER:
        becomes(number, OK(eventfd(0, 0)));
        d = OK(dup(number));
        break;
    case DISK:
        becomes(number, disk_file());
        GIVES(pwrite(number, "disk", 4, 0), 4);
        break;
    default: d = OK(dup(c)); break;
    }
    ATTACH(number, p, 2);
    switch (kind) {
    case MESSAGES: /* an empty one is no end */
        QUEUED(ioevent_read(number, b, sizeof b));
        QUIET(p);
        GIVES(send(d, "", 0, 0), 0);
        EXPECT(p, 2, 0, 0);
        QUEUED(ioevent_read(number, b, 2));
        GIVES(send(d, "abcd", 4, 0), 4);
        EXPECT(p, 2, 2, 0);
        QUEUED(ioevent_read(number, b, 2)); /* the rest of the message is gone */
        QUIET(p);
        GIVES(send(d, "x", 1, 0), 1);
        EXPECT(p, 2, 1, 0);
        break;
    case COUNTER:
        QUEUED(ioevent_read(number, &count, sizeof count));
        QUIET(p);
        count = 7;
        GIVES(write(d, &count, sizeof count), 8);
        EXPECT(p, 2, 8, 0);
        SAME(count, 7);
        break;
    case DISK:
        QUEUED(ioevent_read(number, b, sizeof b));
        EXPECT(p, 2, 4, 0);
        CHECK(memcmp(b, "disk", 4) == 0);
        QUEUED(ioevent_read(number, b, sizeof b));
        EXPECT(p, 2, 0, 0);
        break;
    default:
        for (int i = 0; i < 4; i++) {
            QUEUED(ioevent_read(number, b, sizeof b));
            QUIET(p);
            GIVES(write(d, "abc", 3), 3);
            EXPECT(p, 2, 3, 0);
            CHECK(memcmp(b, "abc", 3) == 0);
        }
        if (kind != PIPE) {
            QUEUED(ioevent_write(number, "answer", 6));
            EXPECT(p, 2, 6, 0);
            read_all(d, b, 6);
        }
        break;
    }
    GIVES(ioevent_close(number), 0);
    OK(close(c));
    if (d != -1)
        OK(close(d));
}

int main(void)
{
    p = OK(ioeventpipe(8));
    l = listener(AF_INET, 8, &a);
    ATTACH(l, p, 1);
    for (int round = 0; round < 2; round++)
        for (int kind = 0; kind < KINDS; kind++)
            run(kind);
    GIVES(ioevent_close(p), 0);
    return 0;
}
