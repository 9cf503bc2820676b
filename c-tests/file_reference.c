/*
 * While nothing is outstanding on a file the library holds no reference of its own to the open file: a plain close(2)
 * takes effect at once: rule 4.4. The lock of flock(2) tells: it goes with the last reference.
 */
#include "test_file.h"
#include <sys/file.h>

enum { NOTHING, READ, WRITE, SYNC, SENDFILE, SPLICE, MANY, CANCELLED, WHATS };

static void run(int which, int what, bool plainly)
{
    int p = OK(ioeventpipe(16)), fd = make_file(which), other = reopen(fd, O_RDWR), s[2], x[2];
    static char b[100000];

    fill_file(fd, sizeof b);
    uncache(fd);
    unix_pair(s);
    OK(pipe2(x, O_CLOEXEC));
    OK(flock(fd, LOCK_EX));
    FAILS(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    ATTACH(fd, p, 1);
    switch (what) {
    case READ:
        QUEUED(ioevent_read(fd, b, sizeof b));
        EXPECT(p, 1, sizeof b, 0);
        break;
    case WRITE:
        QUEUED(ioevent_pwrite(fd, b, sizeof b, 0));
        EXPECT(p, 1, sizeof b, 0);
        break;
    case SYNC:
        QUEUED(ioevent_fsync(fd));
        EXPECT(p, 1, 0, 0);
        break;
    case SENDFILE: /* the source of another's operation */
        ATTACH(s[0], p, 2);
        QUEUED(ioevent_sendfile(s[0], fd, NULL, 1000));
        EXPECT(p, 2, 1000, 0);
        break;
    case SPLICE:
        QUEUED(ioevent_splice(x[0], NULL, fd, NULL, 10, 0));
        QUIET(p);
        OK(write(x[1], "abc", 3));
        EXPECT(p, 1, 3, 0);
        break;
    case MANY:
        for (int i = 0; i < 16; i++)
            QUEUED(ioevent_pread(fd, b + i * 100, 100, i * 100));
        for (int i = 0; i < 16; i++)
            EXPECT(p, 1, 100, 0);
        break;
    case CANCELLED:
        QUEUED(ioevent_splice(x[0], NULL, fd, NULL, 10, 0));
        STAYS_QUIET(p);
        GIVES(ioevent_cancel(fd), 1);
        EXPECT(p, 1, -1, ECANCELED);
        break;
    }
    FAILS(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    if (plainly)
        OK(close(fd));
    else
        GIVES(ioevent_close(fd), 0);
    GIVES(flock(other, LOCK_EX | LOCK_NB), 0);
    QUIET(p);
    OK(close(other));
    for (int i = 0; i < 2; i++) {
        GIVES(ioevent_close(s[i]), 0);
        OK(close(x[i]));
    }
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int which = 0; which < FILES; which++)
        for (int what = 0; what < WHATS; what++) {
            run(which, what, true);
            run(which, what, false);
        }
    return 0;
}
