/*
 * fsync and fdatasync of an attached descriptor: 0 in the event, also where there is nothing to write or the file is
 * open for reading; EINVAL where the kernel has no such thing: rule 2.4, rule 2.6. What waits before them makes them
 * wait, and cancelling what writes ends them too: rule 2.5, rule 4.7.
 */
#include "test_file.h"

static int p;

static void both(int fd, int err)
{
    ATTACH(fd, p, 1);
    if (err) {
        EITHER(ioevent_fsync(fd), p, 1, err);
        EITHER(ioevent_fdatasync(fd), p, 1, err);
    } else {
        QUEUED(ioevent_fsync(fd));
        EXPECT(p, 1, 0, 0);
        QUEUED(ioevent_fdatasync(fd));
        EXPECT(p, 1, 0, 0);
    }
    GIVES(ioevent_close(fd), 0);
}

int main(void)
{
    int fd[2], file, n;
    bool queued;

    p = OK(ioeventpipe(8));
    for (int which = 0; which < FILES; which++) {
        file = make_file(which);
        both(OK(dup(file)), 0); /* empty */
        fill_file(file, 100000);
        both(reopen(file, O_RDONLY), 0);
        both(reopen(file, O_WRONLY), 0);
        OK(close(file));
    }
    both(OK(open("/tmp", O_RDONLY | O_DIRECTORY)), 0);
    both(OK(open("/dev/null", O_RDWR)), EINVAL);
    for (int which = 0; which < STREAMS; which++) {
        if (!stream_pair(which, fd))
            continue;
        both(fd[0], EINVAL);
        both(fd[1], EINVAL);
    }

    /* not attached: libc's */
    file = disk_file();
    GIVES(ioevent_fsync(file), 0);
    GIVES(ioevent_fdatasync(file), 0);
    OK(pipe(fd));
    FAILS(ioevent_fsync(fd[0]), EINVAL);
    FAILS(ioevent_fdatasync(-1), EBADF);
    OK(close(fd[0]));
    OK(close(fd[1]));

    /* behind a write that waits: the kernel could only say EINVAL, and may be asked late or never */
    OK(pipe(fd));
    fill_up(fd[1]);
    ATTACH(fd[1], p, 2);
    QUEUED(ioevent_write(fd[1], "x", 1));
    errno = 0;
    CHECK(ioevent_fsync(fd[1]) == -1 && (errno == EINVAL || errno == EIOEVENTQUEUED));
    queued = errno == EIOEVENTQUEUED;
    n = OK(ioevent_cancel2(fd[1], IOEVENT_CANCEL_OUT, NULL));
    for (int i = 0; i < 1 + queued; i++) {
        struct ioevent e = HARVEST(p);

        SAME(e.ioe_result, -1);
        if (e.ioe_errno == ECANCELED)
            n--;
        else
            SAME(e.ioe_errno, EINVAL);
    }
    SAME(n, 0);
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd[1]), 0);
    return 0;
}
