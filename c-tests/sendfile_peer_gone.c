/*
 * A sendfile to a peer that is gone gives EPIPE and no SIGPIPE; if it goes while the sendfile waits, what it had
 * taken counts: rule 2.4. A SIGPIPE that was pending stays pending: rule 5.5.
 */
#include "test_file.h"

enum { SIZE = 4 << 20 };

static int p, in;

static void all(void)
{
    int fd[2];

    for (int which = 0; which < STREAMS; which++) {
        off_t at = 5;

        if (!stream_pair(which, fd))
            continue;
        ATTACH(fd[1], p, 1);
        if (which == STREAM_UNIX || which == STREAM_PIPE)
            OK(close(fd[0]));
        else
            OK(shutdown(fd[1], SHUT_WR));
        QUEUED(ioevent_sendfile(fd[1], in, &at, 1000));
        EXPECT(p, 1, -1, EPIPE);
        SAME(at, 5);
        QUEUED(ioevent_sendfile(fd[1], in, NULL, 1000));
        EXPECT(p, 1, -1, EPIPE);
        SAME(position(in), 0);
        GIVES(ioevent_close(fd[1]), 0);
        if (which != STREAM_UNIX && which != STREAM_PIPE)
            OK(close(fd[0]));

        /* it goes later: nothing was taken, or some */
        if (which != STREAM_UNIX && which != STREAM_PIPE)
            continue;
        for (int full = which == STREAM_PIPE; full < 2; full++) { /* into a pipe that has room it waits for nobody */
            struct ioevent e;

            CHECK(stream_pair(full && which == STREAM_UNIX ? fillable() : which, fd));
            if (full)
                fill_up_for_good(fd[1]);
            at = 0;
            ATTACH(fd[1], p, 2);
            QUEUED(ioevent_sendfile(fd[1], in, &at, SIZE));
            if (!full)
                CHECK(poll(&(struct pollfd){ .fd = fd[0], .events = POLLIN }, 1, -1) == 1);
            STAYS_QUIET(p);
            OK(close(fd[0]));
            e = HARVEST(p);
            CHECK(e.ioe_user == USER(2));
            if (full) {
                SAME(e.ioe_result, -1);
                CHECK(e.ioe_errno == EPIPE || e.ioe_errno == ECONNRESET);
            } else {
                CHECK(e.ioe_result > 0 && e.ioe_result < SIZE);
                SAME(e.ioe_errno, 0);
            }
            SAME(at, full ? 0 : e.ioe_result);
            GIVES(ioevent_close(fd[1]), 0);
        }
    }
    STAYS_QUIET(p);
}

int main(void)
{
    sigset_t set, pending;

    in = disk_file();
    OK(ftruncate(in, SIZE));
    p = OK(ioeventpipe(4));
    signal(SIGPIPE, SIG_DFL); /* would end this process */
    all();

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    ZERO(pthread_sigmask(SIG_BLOCK, &set, NULL));
    all();
    OK(sigpending(&pending));
    SAME(sigismember(&pending, SIGPIPE), 0);
    raise(SIGPIPE);
    all();
    OK(sigpending(&pending));
    SAME(sigismember(&pending, SIGPIPE), 1);
    return 0;
}
