/*
 * A descriptor closed behind the library's back by plain close(2) is noticed at the latest when its number is
 * attached again or detached, asked for with F_GETIOEVENTPIPE, or closed by ioevent_close; its operations are ended
 * then: rule 4.4. The number is free, or another file by then.
 */
#include "test.h"

enum { REATTACH, DETACHING, ASKING, CLOSING, HOWS };

static int p, q;

static void run(int which, int how, bool reused)
{
    int fd[2], x[2], number;
    char b[8], c[8];
    void *user = USER(77);
    int pipefd = -77;

    if (!stream_pair(which, fd))
        return;
    unix_pair(x);
    number = fd[0];
    ATTACH(number, p, 1);
    QUEUED(ioevent_read(number, b, sizeof b));
    QUEUED(ioevent_poll(number, POLLPRI));
    QUIET(p);
    OK(close(number));
    if (reused)
        OK(dup2(x[0], number));
    memset(c, 0, sizeof c);

    switch (how) {
    case REATTACH:
        if (reused) {
            ATTACH(number, q, 2);
            ATTACHED(number, q, 2);
        } else {
            FAILS(ioevent_fcntl(number, F_SETIOEVENTPIPE, q, USER(2)), EBADF);
        }
        break;
    case DETACHING:
        if (reused)
            DETACH(number);
        else
            FAILS(ioevent_fcntl(number, F_SETIOEVENTPIPE, -1, (void *)NULL), EBADF);
        break;
    case ASKING:
        if (reused) {
            GIVES(ioevent_fcntl(number, F_GETIOEVENTPIPE, &pipefd, &user), 0);
            SAME(pipefd, -1);
            CHECK(user == NULL);
        } else {
            FAILS(ioevent_fcntl(number, F_GETIOEVENTPIPE, &pipefd, &user), EBADF);
        }
        break;
    case CLOSING:
        if (reused)
            GIVES(ioevent_close(number), 0);
        else
            FAILS(ioevent_close(number), EBADF);
        FAILS(fcntl(number, F_GETFD), EBADF);
        break;
    }
    EXPECT(p, 1, -1, ECANCELED);
    EXPECT(p, 1, -1, ECANCELED);
    STAYS_QUIET(p);

    /* the new file is not touched, and its events are its own */
    memset(b, 0xee, sizeof b);
    OK(write(x[1], "new", 3));
    if (reused && how == REATTACH) {
        QUEUED(ioevent_read(number, c, sizeof c));
        EXPECT(q, 2, 3, 0);
        CHECK(memcmp(c, "new", 3) == 0);
        GIVES(ioevent_close(number), 0);
    } else if (reused && how != CLOSING) {
        ATTACHED(number, -1, 0);
        GIVES(ioevent_read(number, c, sizeof c), 3);
        OK(close(number));
    }
    STAYS_QUIET(p);
    QUIET(q);
    CHECK(is_all(b, 0xee, sizeof b));
    OK(close(fd[1]));
    OK(close(x[0]));
    OK(close(x[1]));
}

int main(void)
{
    p = OK(ioeventpipe(8));
    q = OK(ioeventpipe(8));
    for (int which = 0; which < STREAMS; which++)
        for (int how = 0; how < HOWS; how++) {
            run(which, how, false);
            run(which, how, true);
        }
    return 0;
}
