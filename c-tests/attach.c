/*
 * Attachment: what F_GETIOEVENTPIPE says; attaching again changes pipe and user pointer for operations queued from
 * then on; not attached gives -1 and NULL; detaching what is not attached is no error: rule 4.2.
 */
#include "test.h"

int main(void)
{
    int p = OK(ioeventpipe(8)), q = OK(ioeventpipe(8)), fd[2];
    char a[8], b[8], c[8];

    unix_pair(fd);
    ATTACHED(fd[0], -1, 0);
    DETACH(fd[0]);
    ATTACHED(fd[0], -1, 0);
    FAILS(ioevent_cancel(fd[0]), EINVAL);

    ATTACH(fd[0], p, 1);
    ATTACHED(fd[0], p, 1);
    ATTACHED(fd[1], -1, 0); /* the other end is another descriptor */
    QUEUED(ioevent_read(fd[0], a, 1));
    ATTACH(fd[0], p, 2);
    ATTACHED(fd[0], p, 2);
    QUEUED(ioevent_read(fd[0], b, 1));
    ATTACH(fd[0], q, 3);
    ATTACHED(fd[0], q, 3);
    QUEUED(ioevent_read(fd[0], c, 1));
    QUIET(p);
    QUIET(q);
    OK(write(fd[1], "xyz", 3));
    /* each on the pipe and with the pointer that it was queued with, in order */
    EXPECT(p, 1, 1, 0);
    EXPECT(p, 2, 1, 0);
    EXPECT(q, 3, 1, 0);
    SAME(a[0], 'x');
    SAME(b[0], 'y');
    SAME(c[0], 'z');

    /* any pointer is one */
    ATTACH(fd[0], q, 0);
    ATTACHED(fd[0], q, 0);
    ATTACH(fd[0], q, UINTPTR_MAX);
    ATTACHED(fd[0], q, UINTPTR_MAX);
    QUEUED(ioevent_poll(fd[0], POLLOUT));
    EXPECT(q, UINTPTR_MAX, POLLOUT, 0);

    /* places are of the pipe that is attached now */
    DETACH(fd[0]);
    ATTACHED(fd[0], -1, 0);
    FAILS(ioevent_cancel(fd[0]), EINVAL);
    OK(write(fd[1], "now", 3));
    GIVES(ioevent_read(fd[0], a, 8), 3); /* libc's again */
    ATTACH(fd[0], p, 4);
    QUEUED(ioevent_read(fd[0], a, 8));
    QUIET(p);
    OK(write(fd[1], "later", 5));
    EXPECT(p, 4, 5, 0);
    STAYS_QUIET(p);
    STAYS_QUIET(q);

    /* with operations outstanding on the first pipe, closing it leaves those on the second */
    QUEUED(ioevent_read(fd[0], a, 1));
    ATTACH(fd[0], q, 5);
    QUEUED(ioevent_read(fd[0], b, 1));
    GIVES(ioevent_close(p), 0);
    ATTACHED(fd[0], q, 5);
    OK(write(fd[1], "!", 1));
    EXPECT(q, 5, 1, 0);
    SAME(b[0], '!');
    return 0;
}
