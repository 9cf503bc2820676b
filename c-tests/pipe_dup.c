/* A dup of a pipe's descriptor is not a pipe: EINVAL: rule 3.9. Closing it does the pipe no harm. */
#include "test.h"

int main(void)
{
    int p = OK(ioeventpipe(4)), d = OK(dup(p)), d2 = OK(ioevent_fcntl(p, F_DUPFD_CLOEXEC, 0)), fd[2];
    int dups[2] = { d, d2 };
    struct ioevent e = { 0 };
    char b[8];

    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    for (int i = 0; i < 2; i++) {
        FAILS(ioevent_wait(dups[i], &e, 1, &no_wait), EINVAL);
        FAILS(ioevent_read(dups[i], &e, sizeof e), EINVAL);
        FAILS(ioevent_write(dups[i], &e, sizeof e), EINVAL);
        FAILS(ioevent_fcntl(fd[1], F_SETIOEVENTPIPE, dups[i], (void *)NULL), EINVAL);
    }
    ATTACHED(fd[1], -1, 0);
    GIVES(ioevent_close(d), 0);
    OK(close(d2));
    OK(write(fd[1], "abc", 3));
    EXPECT(p, 1, 3, 0);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    QUIET(p);
    OK(write(fd[1], "de", 2));
    EXPECT(p, 1, 2, 0);
    return 0;
}
