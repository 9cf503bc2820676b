/*
 * ioevent_dup2 and ioevent_dup3 onto an attached descriptor end its operations, each with its event, as ioevent_close
 * does; the number is the other file then, and not attached: rule 4.4, rule 4.3.
 */
#include "test_file.h"

static int p, x[2];

static void run(int which, bool three, bool attached_source)
{
    int fd[2], flags = three ? O_CLOEXEC : 0;
    char b[8], c[8];

    if (!stream_pair(which, fd))
        return;
    unix_pair(x);
    if (attached_source)
        ATTACH(x[0], p, 5);
    ATTACH(fd[0], p, 1);
    for (int i = 0; i < 2; i++)
        QUEUED(ioevent_read(fd[0], b, sizeof b));
    QUEUED(ioevent_poll(fd[0], POLLPRI));
    QUIET(p);
    GIVES(three ? ioevent_dup3(x[0], fd[0], flags) : ioevent_dup2(x[0], fd[0]), fd[0]);
    for (int i = 0; i < 3; i++)
        EXPECT(p, 1, -1, ECANCELED);
    STAYS_QUIET(p);
    ATTACHED(fd[0], -1, 0);
    SAME(fcntl(fd[0], F_GETFD), three ? FD_CLOEXEC : 0);

    /* nobody else has the old file; the new one is libc's there */
    CHECK(poll(&(struct pollfd){ .fd = fd[1], .events = POLLRDHUP }, 1, test_timeout() * 500) == 1);
    memset(b, 0xee, sizeof b);
    OK(write(x[1], "abc", 3));
    GIVES(ioevent_read(fd[0], c, sizeof c), 3);
    CHECK(memcmp(c, "abc", 3) == 0);
    CHECK(is_all(b, 0xee, sizeof b));

    /* the number can be attached anew, beside the descriptor it was copied from */
    ATTACH(fd[0], p, 2);
    QUEUED(ioevent_read(fd[0], c, sizeof c));
    QUIET(p);
    OK(write(x[1], "de", 2));
    EXPECT(p, 2, 2, 0);
    ATTACHED(x[0], attached_source ? p : -1, attached_source ? 5 : 0);
    if (attached_source) {
        QUEUED(ioevent_read(x[0], b, sizeof b));
        OK(write(x[1], "fgh", 3));
        EXPECT(p, 5, 3, 0);
    }
    GIVES(ioevent_close(fd[0]), 0);
    GIVES(ioevent_close(x[0]), 0);
    OK(close(x[1]));
    OK(close(fd[1]));
    STAYS_QUIET(p);
}

/* A file is replaced, and by a file. */
static void files(void)
{
    int a = disk_file(), b = disk_file();
    char c[8];

    fill_file(a, 1000);
    fill_file(b, 10);
    ATTACH(a, p, 1);
    QUEUED(ioevent_read(a, c, sizeof c));
    EXPECT(p, 1, sizeof c, 0);
    GIVES(ioevent_dup2(b, a), a);
    ATTACHED(a, -1, 0);
    GIVES(ioevent_pread(a, c, sizeof c, 5), 5);
    ATTACH(a, p, 2);
    QUEUED(ioevent_pread(a, c, sizeof c, 5));
    EXPECT(p, 2, 5, 0);
    GIVES(ioevent_close(a), 0);
    OK(close(b));
}

int main(void)
{
    p = OK(ioeventpipe(8));
    for (int which = 0; which < STREAMS; which++)
        for (int i = 0; i < 4; i++)
            run(which, i & 1, i & 2);
    files();
    STAYS_QUIET(p);
    return 0;
}
