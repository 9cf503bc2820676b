/*
 * F_SETIOEVENTTIMEO and F_GETIOEVENTTIMEO: set and get exactly, bad values and bad descriptors: rule 4.6, rule 1.4.
 * Attaching again keeps the timeout, detaching and closing clear it: rule 4.2.
 */
#include "test.h"

static int p, fd[2];

#define TIMEOUT_IS(fd, sec, nsec)                                               \
    do {                                                                        \
        struct timespec is_ = { -77, -77 };                                     \
        GIVES(ioevent_fcntl(fd, F_GETIOEVENTTIMEO, &is_), 0);                   \
        SAME(is_.tv_sec, sec);                                                  \
        SAME(is_.tv_nsec, nsec);                                                \
    } while (0)

#define SET_TIMEOUT(fd, sec, nsec) ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &(struct timespec){ sec, nsec })

int main(void)
{
    static const struct timespec good[] = { { 0, 1 }, { 0, 999999999 }, { 1, 0 }, { 1234567, 123456789 },
                                            { 1000000000, 999999999 }, { 1, 999999999 }, { 0, 0 } };
    static const struct timespec bad[] = { { -1, 0 }, { 0, -1 }, { 0, 1000000000 }, { 3, 2000000000 }, { LONG_MIN, 0 },
                                           { 0, LONG_MAX }, { -1, 999999999 } };
    int q = OK(ioeventpipe(4)), copy;
    struct timespec t = { 5, 6 };
    char b[8];

    p = OK(ioeventpipe(4));
    unix_pair(fd);
    for (int on_pipe = 0; on_pipe < 2; on_pipe++) { /* neither is attached */
        int f = on_pipe ? p : fd[0];

        FAILS(SET_TIMEOUT(f, 1, 0), EINVAL);
        FAILS(ioevent_fcntl(f, F_GETIOEVENTTIMEO, &t), EINVAL);
    }
    FAILS(SET_TIMEOUT(-1, 1, 0), EBADF);
    FAILS(ioevent_fcntl(-1, F_GETIOEVENTTIMEO, &t), EBADF);
    CHECK(t.tv_sec == 5 && t.tv_nsec == 6);

    ATTACH(fd[0], p, 1);
    TIMEOUT_IS(fd[0], 0, 0);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTTIMEO, &good[i]), 0);
        TIMEOUT_IS(fd[0], good[i].tv_sec, good[i].tv_nsec);
    }
    GIVES(SET_TIMEOUT(fd[0], 77, 88), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        FAILS(ioevent_fcntl(fd[0], F_SETIOEVENTTIMEO, &bad[i]), EINVAL);
    FAILS(ioevent_fcntl(fd[0], F_SETIOEVENTTIMEO, (struct timespec *)NULL), EFAULT);
    FAILS(ioevent_fcntl(fd[0], F_GETIOEVENTTIMEO, (struct timespec *)NULL), EFAULT);
    TIMEOUT_IS(fd[0], 77, 88);

    /* attached again, to whatever */
    ATTACH(fd[0], p, 2);
    TIMEOUT_IS(fd[0], 77, 88);
    ATTACH(fd[0], q, 3);
    TIMEOUT_IS(fd[0], 77, 88);
    copy = OK(dup(fd[0]));
    ATTACH(copy, p, 4); /* a copy has its own */
    TIMEOUT_IS(copy, 0, 0);
    GIVES(SET_TIMEOUT(copy, 1, 2), 0);
    TIMEOUT_IS(fd[0], 77, 88);
    GIVES(ioevent_close(copy), 0);
    OK(dup2(fd[0], copy));
    FAILS(ioevent_fcntl(copy, F_GETIOEVENTTIMEO, &t), EINVAL);
    ATTACH(copy, p, 4);
    TIMEOUT_IS(copy, 0, 0);
    DETACH(fd[0]);
    FAILS(ioevent_fcntl(fd[0], F_GETIOEVENTTIMEO, &t), EINVAL);
    ATTACH(fd[0], q, 5);
    TIMEOUT_IS(fd[0], 0, 0);
    GIVES(SET_TIMEOUT(fd[0], 0, 7000), 0);
    GIVES(ioevent_close(q), 0); /* detaches */
    ATTACH(fd[0], p, 6);
    TIMEOUT_IS(fd[0], 0, 0);

    /* no limit, and as good as none */
    QUEUED(ioevent_read(fd[0], b, 1));
    GIVES(SET_TIMEOUT(fd[0], LONG_MAX, 999999999), 0);
    QUEUED(ioevent_read(fd[0], b, 1));
    GIVES(SET_TIMEOUT(fd[0], 1L << 34, 0), 0);
    QUEUED(ioevent_read(fd[0], b, 1));
    STAYS_QUIET(p);
    GIVES(ioevent_cancel(fd[0]), 3);
    return 0;
}
