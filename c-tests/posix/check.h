/*
 * Checks for programs that know nothing of ioevent pipes: they run with libc alone, with libioevent_posix.so preloaded,
 * and linked to it, and hold in each case. A test says no more than where it failed, by write(2): it may be called from
 * anywhere.
 */
#ifndef POSIX_CHECK_H
#define POSIX_CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)
#define PLACE __FILE__ ":" TEXT_OF(__LINE__) ": "

__attribute__((noreturn))
static inline void fail_at(const char *text, long got)
{
    char line[300];
    size_t n = strlen(text);
    unsigned long rest = got < 0 ? -(unsigned long)got : (unsigned long)got;
    char digits[24];
    int d = 0;

    memcpy(line, text, n);
    memcpy(line + n, ": ", 2);
    n += 2;
    if (got < 0)
        line[n++] = '-';
    do
        digits[d++] = (char)('0' + rest % 10);
    while (rest /= 10);
    while (d)
        line[n++] = digits[--d];
    line[n++] = '\n';
    syscall(SYS_write, 2, line, n);
    _exit(1);
}

#define CHECK(condition)                                                        \
    do {                                                                        \
        if (!(condition))                                                       \
            fail_at(PLACE #condition " is false; errno", errno);                \
    } while (0)

/* The call gives this. */
#define GIVES(call, value)                                                      \
    do {                                                                        \
        long r_ = (long)(call);                                                 \
        if (r_ != (long)(value))                                                \
            fail_at(PLACE #call " is not " #value " but", r_);                  \
    } while (0)

/* The call gives -1 and this errno. */
#define FAILS(call, error)                                                      \
    do {                                                                        \
        errno = 0;                                                              \
        long r_ = (long)(call);                                                 \
        if (r_ != -1)                                                           \
            fail_at(PLACE #call " did not fail, and gave", r_);                 \
        if (errno != (error))                                                   \
            fail_at(PLACE #call " did not fail with " #error " but", errno);    \
    } while (0)

/* The call does not give -1. Its result is the value. */
#define OK(call)                                                                \
    ({                                                                          \
        __typeof__(call) r_ = (call);                                           \
        if (r_ == (__typeof__(call))-1)                                         \
            fail_at(PLACE #call " failed with", errno);                         \
        r_;                                                                     \
    })

__attribute__((constructor, unused))
static void watchdog(void)
{
    const char *seconds = getenv("TEST_TIMEOUT");

    alarm(seconds == NULL ? 60 : (unsigned)atoi(seconds));
}

/* The child ended like this: an exit status, or a signal. */
static inline int child_status(pid_t child)
{
    int status = -1;

    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Writes, reads and closes; true if all of that works. Where errno cannot be set yet it is not looked at. */
static inline int io_works(void)
{
    int p[2] = { -1, -1 };
    char c = 0;
    int works = syscall(SYS_pipe2, p, 0) == 0 && write(p[1], "abc", 3) == 3 && read(p[0], &c, 1) == 1 && c == 'a';
    struct iovec iov = { &c, 1 };

    works = works && readv(p[0], &iov, 1) == 1 && c == 'b' && preadv2(p[0], &iov, 1, -1, 0) == 1 && c == 'c';
    works = works && fcntl(p[0], F_GETFL) == O_RDONLY && dup3(p[1], 120, 0) == 120 && close_range(120, 121, 0) == 0;
    works = works && syscall(SYS_fcntl, 120, F_GETFD) == -1 && dup2(p[0], p[1]) == p[1] && fcntl(p[1], F_GETFL) == O_RDONLY;
    return works && close(p[0]) == 0 && close(p[1]) == 0 && close(p[0]) == -1 && read(-1, &c, 1) == -1;
}

#endif
