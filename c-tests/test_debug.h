/*
 * Children that are run with IOEVENT_DEBUG, and what the library says of them on their stderr.
 */
#ifndef TEST_DEBUG_H
#define TEST_DEBUG_H

#include "test_check.h"
#include "test_process.h"
#include "test_watchdog.h"

#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* A number that no descriptor of the child has by chance: what it does is on this one. */
enum { DEBUG_FD = 77 };

static int debug_go = -1;
static int debug_status;
static char debug_text[65536];

/* In the child: waits until the library has reported something, once more than before. */
static inline void until_reported(void)
{
    char c;

    SAME(read(debug_go, &c, 1), 1);
}

/* Gives `fd` the number that reports are checked for. The library is told by none of its names. */
static inline int debug_number(int fd)
{
    GIVES(syscall(SYS_dup3, fd, DEBUG_FD, 0), DEBUG_FD);
    OK(close(fd));
    return DEBUG_FD;
}

/* Runs `body` in a child, which then calls exit(3), and returns what it has on its stderr. `mode` is the value of
 * IOEVENT_DEBUG; NULL: there is none. */
static inline const char *debugged(const char *mode, void (*body)(void))
{
    int err[2], go[2];
    size_t n = 0, seen = 0;
    pid_t pid;

    OK(pipe(err));
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, go));
    if (child(&pid)) {
        OK(dup2(err[1], 2));
        OK(close(err[0]));
        OK(close(err[1]));
        OK(close(go[1]));
        debug_go = go[0];
        OK(mode ? setenv("IOEVENT_DEBUG", mode, 1) : unsetenv("IOEVENT_DEBUG"));
        body();
        exit(0);
    }
    OK(close(err[1]));
    OK(close(go[0]));
    for (;;) {
        ssize_t got;

        SAME(poll(&(struct pollfd){ .fd = err[0], .events = POLLIN }, 1, test_timeout() * 500), 1);
        got = OK(read(err[0], debug_text + n, sizeof debug_text - 1 - n));
        if (got == 0)
            break;
        n += got;
        debug_text[n] = '\0';
        for (char *line; (line = strstr(debug_text + seen, "ioevent: ")) && strchr(line, '\n');) {
            seen = strchr(line, '\n') - debug_text;
            (void)!send(go[1], "g", 1, MSG_NOSIGNAL); /* it may have ended */
        }
    }
    debug_text[n] = '\0';
    GIVES(waitpid(pid, &debug_status, 0), pid);
    OK(close(err[0]));
    OK(close(go[1]));
    return debug_text;
}

/* How many lines the library has said. */
static inline int debug_lines(const char *text)
{
    int lines = 0;

    for (; (text = strstr(text, "ioevent: ")); text++)
        lines++;
    return lines;
}

/* The child of these ended well, and so many lines were said of it, the text `expected` (if any) among them. */
#define SAID(mode, body, lines, expected)                                                       \
    do {                                                                                        \
        TEST_HERE(#body " is said to be: " #expected);                                          \
        const char *text_ = debugged(mode, body), *expected_ = expected;                        \
        if (debug_status != 0 || debug_lines(text_) != (lines) || !strstr(text_, expected_))    \
            test_fail(&test_place_, 0, "the child ended with status %#x, and said:\n%s",        \
                      debug_status, text_);                                                     \
    } while (0)

#define SAID_NOTHING(mode, body) SAID(mode, body, 0, "")

#endif
