/* On descriptors that are not attached ioevent_dup2 and ioevent_dup3 do what libc's do: rule 1.1. */
#include "test.h"

int main(void)
{
    int p = OK(ioeventpipe(2)), x[2], y[2], number, before;
    struct rlimit limit;
    char b[4];

    OK(pipe(x));
    OK(pipe(y));
    number = OK(fcntl(x[1], F_DUPFD, 100));
    OK(close(number));
    before = count_fds();

    /* onto a free number */
    GIVES(ioevent_dup2(x[1], number), number);
    SAME(fcntl(number, F_GETFD), 0);
    SAME(count_fds(), before + 1);
    OK(write(number, "a", 1));
    read_all(x[0], b, 1);

    /* onto one that is taken: the file behind it is closed */
    OK(close(y[1]));
    OK(fcntl(y[0], F_GETFD));
    number = OK(dup2(number, 101));
    OK(close(100));
    GIVES(ioevent_dup3(y[0], number, O_CLOEXEC), number);
    SAME(fcntl(number, F_GETFD), FD_CLOEXEC);
    GIVES(read(number, b, 1), 0);
    OK(close(x[1]));
    CHECK(sees_end(x[0]));
    GIVES(ioevent_dup3(y[0], number, 0), number);
    SAME(fcntl(number, F_GETFD), 0);

    /* onto itself, errors */
    GIVES(ioevent_dup2(number, number), number);
    FAILS(ioevent_dup3(number, number, 0), EINVAL);
#ifdef __GLIBC__ /* musl's looks for O_CLOEXEC only */
    FAILS(ioevent_dup3(number, 102, O_NONBLOCK), EINVAL);
#endif
    FAILS(ioevent_dup2(-1, 102), EBADF);
    FAILS(ioevent_dup2(number, -1), EBADF);
    FAILS(ioevent_dup2(900, 900), EBADF);
    FAILS(fcntl(102, F_GETFD), EBADF);
    OK(getrlimit(RLIMIT_NOFILE, &limit));
    if (limit.rlim_cur < INT_MAX && !on_valgrind())
        FAILS(ioevent_dup2(number, (int)limit.rlim_cur), EBADF);
    SAME(count_fds(), before - 1);
    QUIET(p);
    return 0;
}
