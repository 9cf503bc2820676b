/*
 * Out of descriptors: ioeventpipe gives EMFILE as pipe(2) does, and leaks none (rule 3.8, rule 5.4); an accept gives
 * EMFILE and the connection stays; what needs no descriptor goes on.
 */
#include "test.h"

int main(void)
{
    struct rlimit limit, low;
    struct address a;
    int p, fd[2], l, c, fillers[256], n = 0, before, top;
    char b[8];
    struct ioevent e;

    GIVES(ioevent_close(OK(ioeventpipe(1))), 0); /* whatever the library keeps, it has now */
    p = OK(ioeventpipe(8));
    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    l = listener(AF_INET, 4, &a);
    c = OK(socket(AF_INET, SOCK_STREAM, 0));
    OK(connect(c, SOCKADDR(&a), a.length));
    ATTACH(l, p, 2);
    /* the first number that is free, and a limit that leaves a few */
    OK(getrlimit(RLIMIT_NOFILE, &limit));
    low = limit;
    top = OK(dup(0));
    OK(close(top));
    low.rlim_cur = (rlim_t)top + 20;
    OK(setrlimit(RLIMIT_NOFILE, &low));
    while ((fillers[n] = dup(0)) >= 0)
        CHECK(++n < 256);
    SAME(errno, EMFILE);

    for (int i = 0; i < 3; i++) {
        FAILS(ioeventpipe(5), EMFILE);
        FAILS(ioeventpipe2(5, O_NONBLOCK | O_CLOEXEC), EMFILE);
    }
    /* I/O goes on */
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    QUIET(p);
    OK(write(fd[1], "abc", 3));
    EXPECT(p, 1, 3, 0);
    EITHER(ioevent_accept(l, NULL, NULL), p, 2, EMFILE);

    /* with a few free ones it works or fails, but never loses one */
    for (int k = 0; k < 6; k++) {
        int q;

        OK(close(fillers[--n]));
        low = limit;
        OK(setrlimit(RLIMIT_NOFILE, &low));
        before = count_fds();
        low.rlim_cur = (rlim_t)top + 20;
        OK(setrlimit(RLIMIT_NOFILE, &low));
        for (int i = 0; i < 4; i++) {
            q = ioeventpipe(5);
            if (q >= 0)
                GIVES(ioevent_close(q), 0);
            else
                SAME(errno, EMFILE);
        }
        low = limit;
        OK(setrlimit(RLIMIT_NOFILE, &low));
        SAME(count_fds(), before);
        low.rlim_cur = (rlim_t)top + 20;
        OK(setrlimit(RLIMIT_NOFILE, &low));
    }
    if (on_valgrind())
        return 0; /* its accept takes the connection before it says EMFILE */
    /* the connection was not lost */
    QUEUED(ioevent_accept(l, NULL, NULL));
    e = HARVEST(p);
    SAME(e.ioe_errno, 0);
    CHECK(e.ioe_result >= 0);
    STAYS_QUIET(p);
    return 0;
}
