/*
 * A pipe that ioevent_dup2 or ioevent_dup3 replaces is closed as ioevent_close does: no buffer is in use when it
 * returns, every descriptor is detached, threads that wait get EBADF: rule 4.4, rule 3.7. The copy of a pipe is none:
 * rule 3.9.
 */
#include "test_file.h"

static int p;
static pid_t tid;

static void *waiter(void *unused)
{
    struct ioevent e;

    TELL_TID(tid);
    FAILS(ioevent_wait(p, &e, 1, NULL), EBADF);
    return unused;
}

static void run(bool three)
{
    int fd[2], x[2], file = disk_file(), other = OK(ioeventpipe(4));
    static char out[16 << 20], big[1 << 20];
    struct ioevent e;
    char b[8], c[8];
    pthread_t t;

    p = OK(ioeventpipe(8));
    unix_pair(fd);
    unix_pair(x);
    fill_file(file, sizeof big);
    uncache(file);
    ATTACH(fd[0], p, 1);
    ATTACH(fd[1], other, 2);
    ATTACH(file, p, 3);
    QUEUED(ioevent_write(fd[0], out, sizeof out));
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    SET(tid, 0);
    t = start_thread(waiter, NULL);
    UNTIL_ASLEEP(tid);
    if (three)
        GIVES(ioevent_dup3(x[0], p, O_CLOEXEC), p);
    else
        GIVES(ioevent_dup2(x[0], p), p);
    ZERO(pthread_join(t, NULL));
    memset(b, 0xee, sizeof b);
    ATTACHED(fd[0], -1, 0);
    ATTACHED(file, -1, 0);
    ATTACHED(fd[1], other, 2);
    FAILS(ioevent_cancel(fd[0]), EINVAL);
    OK(write(fd[1], "abc", 3));
    GIVES(ioevent_recv(fd[0], c, sizeof c, MSG_DONTWAIT), 3);
    CHECK(is_all(b, 0xee, sizeof b));

    /* the number is the socket now, and can be attached like one */
    FAILS(ioevent_wait(p, &e, 1, &no_wait), EINVAL);
    OK(write(x[1], "de", 2));
    GIVES(ioevent_read(p, c, sizeof c), 2);
    ATTACH(p, other, 4);
    QUEUED(ioevent_read(p, c, sizeof c));
    OK(write(x[1], "fgh", 3));
    EXPECT(other, 4, 3, 0);

    /* a pipe copied onto an attached descriptor: that is closed, and no pipe */
    QUEUED(ioevent_read(p, c, sizeof c));
    QUIET(other);
    GIVES(three ? ioevent_dup3(other, p, 0) : ioevent_dup2(other, p), p);
    EXPECT(other, 4, -1, ECANCELED);
    FAILS(ioevent_wait(p, &e, 1, &no_wait), EINVAL);
    ATTACHED(fd[1], other, 2);
    GIVES(ioevent_close(p), 0);
    STAYS_QUIET(other);

    GIVES(ioevent_close(fd[1]), 0);
    OK(close(fd[0]));
    OK(close(x[0]));
    OK(close(x[1]));
    OK(close(file));
    GIVES(ioevent_close(other), 0);
}

int main(void)
{
    int before;

    run(false);
    run(true);
    before = count_fds();
    for (int i = 0; i < 6; i++)
        run(i & 1);
    SAME(count_fds(), before);
    return 0;
}
