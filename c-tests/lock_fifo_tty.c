/*
 * FIFOs and terminals have fcntl(2) locks as files have; for those the library may have an open file of its own, and
 * takes no lock from the process with it: rule 5.5, rule 4.5.
 */
#include "test_lock.h"
#include <termios.h>

enum { FIFO_IN, FIFO_OUT, SLAVE, KINDS };

/* Opens both ends: fd is the one to attach and to lock. */
static void make(int kind, int *fd, int *peer)
{
    char path[64];
    struct termios t;

    if (kind == SLAVE) {
        *peer = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (*peer == -1)
            SKIP("no pseudo terminals");
        OK(grantpt(*peer));
        OK(unlockpt(*peer));
        *fd = OK(open(ptsname(*peer), O_RDWR | O_NOCTTY | O_CLOEXEC));
        OK(tcgetattr(*fd, &t));
        cfmakeraw(&t);
        OK(tcsetattr(*fd, TCSANOW, &t));
        return;
    }
    snprintf(path, sizeof path, "/tmp/ioevent-lock-%d", (int)getpid());
    unlink(path);
    OK(mkfifo(path, 0600));
    *fd = OK(open(path, O_RDWR | O_CLOEXEC)); /* one that can be locked; the same file has both ends */
    *peer = *fd;
    OK(unlink(path));
}

static void run(int kind, bool nonblock)
{
    int p = OK(ioeventpipe(8)), fd, peer;
    struct timespec soon = { 0, 10000000 };
    char b[8];

    make(kind, &fd, &peer);
    set_nonblock(fd, nonblock);
    lock_part(fd, F_WRLCK);
    ATTACH(fd, p, 1);
    STAYS_LOCKED(fd);
    if (kind != FIFO_OUT) {
        QUEUED(ioevent_read(fd, b, sizeof b)); /* waits */
        STAYS_LOCKED(fd);
        OK(write(peer, "abc", 3));
        EXPECT(p, 1, 3, 0);
        STAYS_LOCKED(fd);
        QUEUED(ioevent_read(fd, b, sizeof b));
        GIVES(ioevent_cancel(fd), 1);
        EXPECT(p, 1, -1, ECANCELED);
        STAYS_LOCKED(fd);
        GIVES(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &soon), 0);
        QUEUED(ioevent_read(fd, b, sizeof b));
        EXPECT(p, 1, -1, ETIMEDOUT);
        STAYS_LOCKED(fd);
        GIVES(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &no_wait), 0);
        QUEUED(ioevent_read(fd, b, sizeof b));
        STAYS_QUIET(p);
        DETACH(fd);
        EXPECT(p, 1, -1, ECANCELED);
    } else {
        QUEUED(ioevent_write(fd, "abc", 3));
        EXPECT(p, 1, 3, 0);
        STAYS_LOCKED(fd);
        fill_up(fd);
        QUEUED(ioevent_write(fd, "abc", 3)); /* waits */
        STAYS_QUIET(p);
        STAYS_LOCKED(fd);
        drain(peer);
        EXPECT(p, 1, 3, 0);
        drain(peer);
        STAYS_LOCKED(fd);
        fill_up(fd);
        QUEUED(ioevent_write(fd, "abc", 3));
        STAYS_QUIET(p);
        DETACH(fd);
        EXPECT(p, 1, -1, ECANCELED);
    }
    STAYS_LOCKED(fd);
    if (kind != FIFO_OUT) { /* the pipe closed over a read that waits */
        ATTACH(fd, p, 2);
        QUEUED(ioevent_read(fd, b, sizeof b));
        STAYS_QUIET(p);
    }
    GIVES(ioevent_close(p), 0);
    STAYS_LOCKED(fd);
    OK(close(fd));
    if (peer != fd)
        OK(close(peer));
}

int main(void)
{
    for (int kind = 0; kind < KINDS; kind++) {
        run(kind, false);
        run(kind, true);
    }
    return 0;
}
