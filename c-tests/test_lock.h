/*
 * What the tests of fcntl(2) locks share. Such a lock belongs to the process and the file, and any close of any
 * descriptor of that file loses it: a test keeps all that it opens.
 */
#ifndef TEST_LOCK_H
#define TEST_LOCK_H

#include "test_file.h"

enum { LOCK_START = 100, LOCK_LENGTH = 50 };

/* Locks a part of the file for the process: F_WRLCK, or F_RDLCK on what cannot be written. */
static inline void lock_part(int fd, short type)
{
    struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = LOCK_START, .l_len = LOCK_LENGTH };

    OK(fcntl(fd, F_SETLK, &l));
}

/*
 * The process has its lock. Asked for as the owner of an open file, for whom the locks of every process are those of
 * others, its own too; another process sees the same.
 */
static inline bool is_locked_now(int fd)
{
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    OK(fcntl(fd, F_OFD_GETLK, &l));
    return l.l_type != F_UNLCK && l.l_pid == getpid() && l.l_start == LOCK_START && l.l_len == LOCK_LENGTH;
}

/* The lock is there, and is not lost when a thread of the library cleans up after the event. */
static inline bool stays_locked(int fd)
{
    for (int i = 0; i < 5; i++) {
        if (!is_locked_now(fd))
            return false;
        breathe();
    }
    return is_locked_now(fd);
}

/* Another process sees the lock. */
static inline bool is_locked_for_others(int fd)
{
    int status;
    pid_t pid;

    if (child(&pid)) {
        struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

        if (fcntl(fd, F_GETLK, &l) == -1)
            _exit(2);
        _exit(l.l_type != F_UNLCK);
    }
    GIVES(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    return WEXITSTATUS(status) == 1;
}

#define STAYS_LOCKED(fd) CHECK(stays_locked(fd))

#endif
