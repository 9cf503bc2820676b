/*
 * The bytes that go through a stream: a pattern, a stream filled until it takes no more, and one that is read until it
 * is empty.
 */
#ifndef TEST_BYTES_H
#define TEST_BYTES_H

#include "test_stream.h"
#include "test_watchdog.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <time.h>

/* The bytes that go through the streams. */
static inline unsigned char pattern(size_t i)
{
    return (unsigned char)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

static inline void put_pattern(void *buffer, size_t offset, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)buffer)[i] = pattern(offset + i);
}

static inline bool is_pattern(const void *buffer, size_t offset, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((const unsigned char *)buffer)[i] != pattern(offset + i))
            return false;
    return true;
}

/* Every byte of the buffer has this value. */
static inline bool is_all(const void *buffer, int value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((const unsigned char *)buffer)[i] != (unsigned char)value)
            return false;
    return true;
}

/* Writes until the descriptor takes no more; returns how much that was. */
static inline size_t fill_up(int fd)
{
    static char block[4096];
    size_t total = 0;
    ssize_t n;
    int flags = OK(fcntl(fd, F_GETFL));

    OK(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
    for (size_t size = sizeof block; size; size /= 2)
        while ((n = write(fd, block, size)) > 0)
            total += (size_t)n;
    CHECK(errno == EAGAIN);
    OK(fcntl(fd, F_SETFL, flags));
    return total;
}

/* The same for good: over TCP some of it is still on its way for a moment, and then makes room. */
static inline size_t fill_up_for_good(int fd)
{
    size_t total = fill_up(fd), n;
    int domain = AF_UNIX;

    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &(socklen_t){ sizeof domain });
    if (domain == AF_UNIX)
        return total;
    do {
        nanosleep(&(struct timespec){ 0, 250000000 }, NULL);
        n = fill_up(fd);
        total += n;
    } while (n > 0);
    return total;
}

/*
 * A stream of sockets that is full for sendfile and splice, too, once it was filled up. Before Linux 6.5 AF_UNIX is
 * none: they put their bytes into the last message of its queue, with no look at how much is there, and a blocking call
 * does not wait.
 */
static inline int fillable(void)
{
    int fd[2], file = OK(memfd_create("one byte", MFD_CLOEXEC));
    ssize_t n;

    unix_pair(fd);
    OK(ftruncate(file, 1));
    fill_up(fd[0]);
    set_nonblock(fd[0], true);
    n = sendfile(fd[0], file, NULL, 1);
    CHECK(n == 1 || (n == -1 && errno == EAGAIN));
    OK(close(file));
    OK(close(fd[0]));
    OK(close(fd[1]));
    return n == 1 ? STREAM_TCP4 : STREAM_UNIX;
}

/* Reads exactly n bytes with read(2). */
static inline void read_all(int fd, void *buffer, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t r = read(fd, (char *)buffer + done, n - done);

        CHECK(r > 0);
        done += (size_t)r;
    }
}

/* Reads exactly n bytes with read(2) and forgets them: what comes behind them stays. */
static inline void skip(int fd, size_t n)
{
    char block[4096];

    for (size_t piece; n > 0; n -= piece) {
        piece = n < sizeof block ? n : sizeof block;
        read_all(fd, block, piece);
    }
}

/* Reads what is there now and forgets it; returns how much that was. */
static inline size_t drain(int fd)
{
    static char block[65536];
    size_t total = 0;
    ssize_t n;
    struct pollfd ready = { .fd = fd, .events = POLLIN };

    while (poll(&ready, 1, 0) == 1 && (ready.revents & POLLIN) && (n = read(fd, block, sizeof block)) > 0)
        total += (size_t)n;
    return total;
}

/* The peer has closed: read(2) gives the end of file, without a wait for ever. */
static inline bool sees_end(int fd)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    char c;

    return poll(&ready, 1, test_timeout() * 500) == 1 && read(fd, &c, 1) == 0;
}

#endif
