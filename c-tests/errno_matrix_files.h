/*
 * What the matrix of errno_matrix_calls.c calls upon: a file of each kind, made anew for each call.
 */
#ifndef ERRNO_MATRIX_FILES_H
#define ERRNO_MATRIX_FILES_H

#include "test.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static int keep[64], nkeep; /* the other ends */
static int letters;         /* a file with the alphabet in it */
static int pidfd_child;     /* whose pidfd is one of the kinds */

static int and_keep(int fd, int other)
{
    keep[nkeep++] = other;
    set_nonblock(fd, true);
    return fd;
}

static int closed_number(void)
{
    int fd = OK(dup2(letters, 700));

    OK(close(fd));
    return fd;
}

enum file {
    F_UNIX, F_UNIX_EMPTY, F_UNIX_GONE, F_DGRAM, F_UDP, F_TCP_NEW, F_TCP_SHUT, F_LISTENER, F_PIPE_IN, F_PIPE_IN_EMPTY,
    F_PIPE_OUT, F_PIPE_OUT_GONE, F_EVENTFD, F_EVENTFD_EMPTY, F_TIMERFD, F_INOTIFY, F_SIGNALFD, F_PIDFD, F_FILE,
    F_FILE_IN, F_FILE_OUT, F_NULL, F_ZERO, F_EPOLL, F_DIRECTORY, F_PATH, FILES
};

static const char *const file_name[FILES] = {
    "unix socket", "unix socket without data", "unix socket whose peer is gone", "unix datagram socket", "udp socket",
    "tcp socket that is not connected", "tcp socket that is shut down", "listener", "pipe to read",
    "empty pipe to read", "pipe to write", "pipe to write without reader", "eventfd", "eventfd at 0", "timerfd",
    "inotify", "signalfd", "pidfd", "file", "file to read", "file to write", "/dev/null", "/dev/zero", "epoll",
    "directory", "O_PATH"
};

static int make(enum file file)
{
    int fd[2];
    char path[] = "/tmp/ioevent-test-XXXXXX";
    struct address a;
    sigset_t none;

    switch (file) {
    case F_UNIX:
    case F_UNIX_EMPTY:
    case F_UNIX_GONE:
    case F_DGRAM:
        OK(socketpair(AF_UNIX, (file == F_DGRAM ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0, fd));
        if (file == F_UNIX || file == F_DGRAM)
            OK(send(fd[1], "abc", 3, 0));
        if (file != F_UNIX_GONE)
            return and_keep(fd[0], fd[1]);
        OK(close(fd[1]));
        set_nonblock(fd[0], true);
        return fd[0];
    case F_UDP:
        return OK(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    case F_TCP_NEW:
        return OK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    case F_TCP_SHUT:
        CHECK(tcp_pair(AF_INET, fd));
        OK(shutdown(fd[1], SHUT_WR));
        OK(shutdown(fd[0], SHUT_WR));
        CHECK(poll(&(struct pollfd){ .fd = fd[0], .events = POLLIN }, 1, 5000) == 1);
        return and_keep(fd[0], fd[1]);
    case F_LISTENER:
        fd[0] = listener(AF_INET, 1, &a);
        set_nonblock(fd[0], true);
        return fd[0];
    case F_PIPE_IN:
    case F_PIPE_IN_EMPTY:
        OK(pipe2(fd, O_CLOEXEC));
        if (file == F_PIPE_IN)
            OK(write(fd[1], "abc", 3));
        return and_keep(fd[0], fd[1]);
    case F_PIPE_OUT:
    case F_PIPE_OUT_GONE:
        OK(pipe2(fd, O_CLOEXEC));
        if (file == F_PIPE_OUT)
            return and_keep(fd[1], fd[0]);
        OK(close(fd[0]));
        set_nonblock(fd[1], true);
        return fd[1];
    case F_EVENTFD:
    case F_EVENTFD_EMPTY:
        return OK(eventfd(file == F_EVENTFD ? 5 : 0, EFD_CLOEXEC | EFD_NONBLOCK));
    case F_TIMERFD:
        return OK(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    case F_INOTIFY:
        return OK(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    case F_SIGNALFD:
        sigemptyset(&none);
        return OK(signalfd(-1, &none, SFD_CLOEXEC | SFD_NONBLOCK));
    case F_PIDFD:
        return (int)syscall(SYS_pidfd_open, pidfd_child, 0); /* valgrind has none */
    case F_FILE:
    case F_FILE_IN:
    case F_FILE_OUT:
        fd[0] = OK(mkstemp(path));
        OK(write(fd[0], "abcdefghij", 10));
        fd[1] = OK(open(path, (file == F_FILE ? O_RDWR : file == F_FILE_IN ? O_RDONLY : O_WRONLY) | O_CLOEXEC));
        OK(unlink(path));
        OK(close(fd[0]));
        return fd[1];
    case F_NULL:
        return OK(open("/dev/null", O_RDWR | O_CLOEXEC));
    case F_ZERO:
        return OK(open("/dev/zero", O_RDWR | O_CLOEXEC));
    case F_EPOLL:
        return OK(epoll_create1(EPOLL_CLOEXEC));
    case F_DIRECTORY:
        return OK(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    default:
        return OK(open("/", O_PATH | O_CLOEXEC));
    }
}

static void clean_up(int fd)
{
    if (fd >= 0)
        GIVES(ioevent_close(fd), 0);
    while (nkeep > 0)
        OK(close(keep[--nkeep]));
}

#endif
