/* Terminals can be attached, master and slave, blocking or not: rule 4.1. */
#include "test.h"
#include <termios.h>

static void raw(int fd)
{
    struct termios t;

    OK(tcgetattr(fd, &t));
    cfmakeraw(&t);
    OK(tcsetattr(fd, TCSANOW, &t));
}

static void transfer(int p, int in, int out, int in_user, int out_user)
{
    char b[64];

    QUEUED(ioevent_read(in, b, sizeof b));
    QUIET(p);
    OK(write(out, "abc", 3));
    EXPECT(p, in_user, 3, 0);
    CHECK(memcmp(b, "abc", 3) == 0);
    QUEUED(ioevent_write(out, "defgh", 5));
    EXPECT(p, out_user, 5, 0);
    for (int got = 0; got < 5;) {
        struct ioevent e;

        QUEUED(ioevent_read(in, b + got, sizeof b - (size_t)got));
        e = HARVEST(p);
        CHECK(e.ioe_user == USER(in_user) && e.ioe_result > 0);
        got += e.ioe_result;
    }
    CHECK(memcmp(b, "defgh", 5) == 0);
    QUEUED(ioevent_poll(in, POLLIN));
    QUIET(p);
    OK(write(out, "x", 1));
    EXPECT(p, in_user, POLLIN, 0);
    read_all(in, b, 1);
}

static void run(bool nonblock)
{
    int p = OK(ioeventpipe(8)), master = posix_openpt(O_RDWR | O_NOCTTY), slave;
    char b[64];
    struct termios t;
    struct ioevent e;

    if (master == -1)
        SKIP("no pseudo terminals");
    OK(grantpt(master));
    OK(unlockpt(master));
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (slave == -1)
        SKIP("no pseudo terminals");
    raw(slave);
    set_nonblock(master, nonblock);
    set_nonblock(slave, nonblock);
    ATTACH(master, p, 1);
    ATTACH(slave, p, 2);
    transfer(p, slave, master, 2, 1);
    transfer(p, master, slave, 1, 2);
    SAME(!!(fcntl(master, F_GETFL) & O_NONBLOCK), nonblock);
    SAME(!!(fcntl(slave, F_GETFL) & O_NONBLOCK), nonblock);

    /* both read at once, and the data crosses */
    QUEUED(ioevent_read(master, b, 8));
    QUEUED(ioevent_read(slave, b + 8, 8));
    QUIET(p);
    OK(write(master, "to slave", 3));
    EXPECT(p, 2, 3, 0);
    OK(write(slave, "to master", 4));
    EXPECT(p, 1, 4, 0);

    /* line by line */
    OK(tcgetattr(slave, &t));
    t.c_lflag |= ICANON;
    OK(tcsetattr(slave, TCSANOW, &t));
    QUEUED(ioevent_read(slave, b, sizeof b));
    OK(write(master, "on", 2));
    STAYS_QUIET(p);
    OK(write(master, "e\ntwo\n", 6));
    EXPECT(p, 2, 4, 0);
    CHECK(memcmp(b, "one\n", 4) == 0);
    QUEUED(ioevent_read(slave, b, sizeof b));
    EXPECT(p, 2, 4, 0);
    CHECK(memcmp(b, "two\n", 4) == 0);

    /* the slave closes: a read of the master gives EIO */
    QUEUED(ioevent_read(master, b, sizeof b));
    QUIET(p);
    GIVES(ioevent_close(slave), 0);
    EXPECT(p, 1, -1, EIO);
    /* the master closes: a read of the slave gives the end of file, or EIO if it is woken before the hang-up */
    slave = OK(open(ptsname(master), O_RDWR | O_NOCTTY));
    ATTACH(slave, p, 3);
    QUEUED(ioevent_read(slave, b, sizeof b));
    QUIET(p);
    GIVES(ioevent_close(master), 0);
    e = HARVEST(p);
    CHECK(e.ioe_user == USER(3));
    CHECK(e.ioe_result == 0 || (e.ioe_result == -1 && e.ioe_errno == EIO));
    GIVES(ioevent_close(slave), 0);
    STAYS_QUIET(p);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    signal(SIGHUP, SIG_IGN);
    run(false);
    run(true);
    return 0;
}
