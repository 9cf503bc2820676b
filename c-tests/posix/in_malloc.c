/* Calls from a signal handler that has interrupted malloc: none of them allocates, or takes a lock of malloc's. */
#include "check.h"

#include <stdalign.h>
#include <sys/socket.h>

static _Thread_local volatile int inside, interrupt;
static volatile int handled;
static alignas(64) char memory[1 << 22];
static size_t used;

static void *allocate(size_t size)
{
    void *p;

    if (inside)
        fail_at(PLACE "allocated inside of malloc", (long)size);
    inside = 1;
    if (interrupt)
        raise(SIGUSR1);
    p = memory + __atomic_fetch_add(&used, (size + 31) / 16 * 16, __ATOMIC_SEQ_CST);
    *(size_t *)p = size;
    inside = 0;
    return (char *)p + 16;
}

void *malloc(size_t size)
{
    return allocate(size);
}

void free(void *p)
{
    (void)p;
    if (inside)
        fail_at(PLACE "freed inside of malloc", 0);
}

void *calloc(size_t n, size_t size)
{
    return allocate(n * size);
}

void *realloc(void *p, size_t size)
{
    void *new = allocate(size);

    if (p)
        memcpy(new, p, size < ((size_t *)p)[-2] ? size : ((size_t *)p)[-2]);
    return new;
}

static void handler(int number)
{
    int s[2];
    char b[4] = "xyz";
    struct iovec iov = { b, 3 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct mmsghdr mmsg = { msg, 0 };

    (void)number;
    CHECK(io_works());
    GIVES(socketpair(AF_UNIX, SOCK_DGRAM, 0, s), 0);
    GIVES(send(s[0], b, 3, 0), 3);
    GIVES(recv(s[1], b, 3, 0), 3);
    GIVES(sendmsg(s[0], &msg, 0), 3);
    GIVES(recvmsg(s[1], &msg, 0), 3);
    GIVES(sendmmsg(s[0], &mmsg, 1, 0), 1);
    GIVES(recvmmsg(s[1], &mmsg, 1, 0, NULL), 1);
    FAILS(recv(s[1], b, 3, MSG_DONTWAIT), EAGAIN);
    GIVES(dup3(s[1], s[0], O_CLOEXEC), s[0]);
    GIVES(shutdown(s[0], SHUT_WR), 0);
    GIVES(close_range((unsigned)s[0], (unsigned)s[0], 0), 0);
    GIVES(close(s[1]), 0);
    FAILS(close(s[0]), EBADF);
    handled++;
}

int main(void)
{
    struct sigaction action = { .sa_handler = handler };
    void *volatile p;

    GIVES(sigaction(SIGUSR1, &action, NULL), 0);
    /* Some have a first time. */
    raise(SIGUSR1);
    interrupt = 1;
    p = malloc(100);
    interrupt = 0;
    CHECK(p);
    GIVES(handled, 2);
    return 0;
}
