/* What the tests of hung-up terminals share. Needs root, or whatever else may hang up a terminal. */
#ifndef TEST_TTY_H
#define TEST_TTY_H

#include "test.h"
#include <termios.h>

#ifndef TIOCVHANGUP
#define TIOCVHANGUP 0x5437
#endif

struct terminal {
    int master;
    char name[64];
};

static inline void make_raw(int fd)
{
    struct termios t;

    OK(tcgetattr(fd, &t));
    cfmakeraw(&t);
    OK(tcsetattr(fd, TCSANOW, &t));
}

/* A pseudo terminal; its slave is raw. */
static inline struct terminal make_terminal(void)
{
    struct terminal t = { .master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC) };
    int fd;

    if (t.master == -1 || grantpt(t.master) == -1 || unlockpt(t.master) == -1)
        SKIP("no pseudo terminals");
    CHECK(ptsname_r(t.master, t.name, sizeof t.name) == 0);
    fd = open(t.name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd == -1)
        SKIP("no pseudo terminals");
    make_raw(fd);
    OK(close(fd));
    return t;
}

/* Hangs it up by a descriptor of its own. */
static inline void hang_up(struct terminal *t)
{
    int fd = OK(open(t->name, O_RDWR | O_NOCTTY | O_CLOEXEC));

    if (ioctl(fd, TIOCVHANGUP) == -1)
        SKIP("who runs this may not hang up a terminal");
    OK(close(fd));
}

static inline bool readable(int fd)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };

    return OK(poll(&ready, 1, 0)) == 1 && (ready.revents & POLLIN);
}

#endif
