/*
 * While the kernel holds an operation of a worker on a file (a disk, a file system or another process may do that for
 * minutes), no call of the program waits for it, on whatever descriptor: rule 5.5. There is one operation held by
 * each way into the kernel; a watchdog alarm tells of a call that waits.
 */
#include "test_calls.h"
#include "test_held.h"

enum { PREAD, PWRITE, READ, WRITE, KINDS };

static int p;
static int run(int kind)
{
    int fd = held_file(32 * HELD_PAGE, kind == PWRITE || kind == WRITE);
    char *page = held_page();
    bool held = false;
    int anew = reopen(fd, O_RDWR);

    SET(calls_kind, kind);
    ATTACH(fd, p, 1);
    switch (kind) {
    case PREAD: held = IS_HELD(ioevent_pread(fd, page, HELD_PAGE, HELD_PAGE)); break;
    case PWRITE: held = IS_HELD(ioevent_pwrite(fd, page, HELD_PAGE, HELD_PAGE)); break;
    case READ: held = IS_HELD(ioevent_read(fd, page, HELD_PAGE)); break;
    default: held = IS_HELD(ioevent_write(fd, page, HELD_PAGE)); break;
    }
    if (held) {
        calls_on_others();
        calls_on_hundreds(p);
        calls_on_the_file(p, fd, anew);
        calls_on_itself(p, fd, kind % 2);
        RELEASE();
    }
    while (HARVEST(p).ioe_user != USER(1)) {}
    if (!held || kind % 2 == 0)
        GIVES(ioevent_close(fd), 0);
    return held;
}

int main(void)
{
    int held = 0;

    ZERO(pthread_detach(start_thread(watch_calls, NULL)));
    signal(SIGHUP, SIG_IGN);
    p = OK(ioeventpipe(4096));
    for (int kind = 0; kind < KINDS; kind++)
        held += run(kind);
    if (!held)
        SKIP("the calling thread does the I/O by itself here");
    return 0;
}
