/*
 * What the process has and what it runs under, and children of it.
 */
#ifndef TEST_PROCESS_H
#define TEST_PROCESS_H

#include "test_check.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* How many descriptors the process has; without /proc: of the first 65536. */
static inline int count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    if (dir == NULL && has_no_proc()) {
        for (int fd = 0; fd < 65536; fd++)
            n += fcntl(fd, F_GETFD) != -1;
        return n;
    }
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n - 1; /* the one of opendir */
}

/* Waits until no other test uses what belongs to the whole machine, here the kernel's log; until this one ends. */
static inline void have_kernel_log_alone(void)
{
    int lock = open("/dev/kmsg", O_RDONLY | O_CLOEXEC);

    if (lock >= 0)
        CHECK(flock(lock, LOCK_EX) == 0);
}

/* How many bytes are a page, which is what a place of a pipe(2) holds, or more. */
static inline int page_size(void)
{
    return (int)sysconf(_SC_PAGESIZE);
}

/* Memory that may not be touched. */
static inline void *bad_memory(void)
{
    void *p = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED);
    return p;
}

/* valgrind reports system calls with bad pointers, which some tests make on purpose. */
static inline bool on_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return preload && strstr(preload, "vgpreload");
}

/* The address sanitizer's malloc is not usable in the child of a process with threads. */
#if defined __SANITIZE_ADDRESS__
#define ON_ASAN true
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define ON_ASAN true
#endif
#endif
#ifndef ON_ASAN
#define ON_ASAN false
#endif

/* A child process that dies with its parent; `if (child(&pid)) { ...; _exit(0); }` */
static inline bool child(pid_t *pid)
{
    *pid = OK(fork());
    if (*pid == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return *pid == 0;
}

/* The ways in which a process can be copied. The address sanitizer makes its allocator ready for fork(3) alone: another
 * child hangs in it if one of the parent's threads was there. */
enum fork_way { FORK, RAW_FORK, RAW_CLONE };
enum { FORK_WAYS = ON_ASAN ? FORK + 1 : RAW_CLONE + 1 };

static inline pid_t fork_by(enum fork_way way)
{
    switch (way) {
    case FORK:
        return OK(fork());
    case RAW_FORK:
        return OK(_Fork());
    default:
        return OK((pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
    }
}

/* The child ended with status 0. */
#define CHILD_PASSED(pid)                                                       \
    do {                                                                        \
        int status_ = -1;                                                       \
        GIVES(waitpid(pid, &status_, 0), pid);                                  \
        SAME(status_, 0);                                                       \
    } while (0)

#endif
