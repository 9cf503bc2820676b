/* What the tests of files share: files to work on, and ways to get them out of the page cache. */
#ifndef TEST_FILE_H
#define TEST_FILE_H

#include "test.h"

/* A file on disk (or wherever TMPDIR is) without a name. */
static inline int disk_file(void)
{
    const char *dir = getenv("TMPDIR");
    char path[PATH_MAX];
    int fd;

    snprintf(path, sizeof path, "%s/ioevent-test-XXXXXX", dir && *dir ? dir : "/tmp");
    fd = OK(mkostemp(path, O_CLOEXEC));
    OK(unlink(path));
    return fd;
}

/* The files that most tests go over: one on disk, one in memory. */
enum { FILE_DISK, FILE_MEMORY, FILES };

static inline int make_file(int which)
{
    return which == FILE_DISK ? disk_file() : OK(memfd_create("ioevent-test", MFD_CLOEXEC));
}

/* The same file opened anew: another open file, with a position of its own. */
static inline int reopen(int fd, int flags)
{
    char path[64];

    NEEDS_PROC();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return OK(open(path, flags | O_CLOEXEC));
}

static inline void *room(size_t n)
{
    void *p = malloc(n);

    CHECK(p != NULL);
    memset(p, 0, n);
    return p;
}

/* Appends n bytes of the pattern to what the file has; the position goes back to the start. */
static inline void fill_file(int fd, size_t n)
{
    off_t size = OK(lseek(fd, 0, SEEK_END));
    char *block = room(n);

    put_pattern(block, (size_t)size, n);
    for (size_t done = 0; done < n;)
        done += (size_t)OK(write(fd, block + done, n - done));
    free(block);
    OK(lseek(fd, 0, SEEK_SET));
}

/* Has the file written to its disk and dropped from the page cache; a hint that the kernel may not follow. */
static inline void uncache(int fd)
{
    OK(fsync(fd));
    ZERO(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
}

/* The file has n bytes of the pattern and no more. */
static inline bool holds_pattern(int fd, size_t n)
{
    char *block = room(n + 1);
    size_t done = 0;
    ssize_t r;
    bool same;

    while ((r = pread(fd, block + done, n + 1 - done, (off_t)done)) > 0)
        done += (size_t)r;
    same = r == 0 && done == n && is_pattern(block, 0, n);
    free(block);
    return same;
}

static inline off_t position(int fd)
{
    return OK(lseek(fd, 0, SEEK_CUR));
}

#endif
