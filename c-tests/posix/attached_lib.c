/* A library whose constructor, which may run before all others, attaches a descriptor by the plain names. */
#include "check.h"

#include <ioevent.h>

static int early = -1;

/* 0: it worked; else the line where it did not. */
int attached_early(void);
int attached_early(void)
{
    return early;
}

__attribute__((constructor))
static void construct(void)
{
    struct ioevent ev = { 0 };
    char c = 0;
    int pipes[2], p;

#define MUST(condition)                                                         \
    do {                                                                        \
        if (!(condition)) {                                                     \
            early = __LINE__;                                                   \
            return;                                                             \
        }                                                                       \
    } while (0)
    MUST(pipe(pipes) == 0);
    MUST((p = ioeventpipe(4)) >= 0);
    MUST(fcntl(pipes[0], F_SETIOEVENTPIPE, p, &early) == 0);
    MUST(read(pipes[0], &c, 1) == -1 && errno == EIOEVENTQUEUED);
    MUST(write(pipes[1], "x", 1) == 1);
    MUST(read(p, &ev, sizeof ev) == sizeof ev);
    MUST(ev.ioe_user == &early && ev.ioe_result == 1 && c == 'x');
    MUST(close(pipes[0]) == 0 && close(pipes[1]) == 0 && close(p) == 0);
    early = 0;
}
