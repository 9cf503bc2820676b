/*
 * A program adds entries of its own, with any data, to the number of a pipe, which can be waited on. They are not taken
 * for what they are not: no harvest crashes or makes an event of them, and what is attached goes on: rule 3.6.
 */
#include "test.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

static const uint64_t words[] = {
    0, 1, 2, 3, UINT64_MAX, 0x4141414141414141, 1ULL << 63, 1ULL << 32, 0x7fffffff, 0xffffffff,
    1ULL << 32 | 0x20000, (uint64_t)INT32_MAX << 32 | INT32_MAX,
};
enum { OTHERS = 3, ALL = OTHERS + sizeof words / sizeof *words };

int main(void)
{
    int p = OK(ioeventpipe2(8, O_NONBLOCK)), s[2], ready = OK(eventfd(1, EFD_CLOEXEC));
    char in[8], *buffer = malloc(64);

    CHECK(buffer);
    unix_pair(s);
    ATTACH(s[0], p, 7);
    for (int i = 0; i < ALL; i++) {
        struct epoll_event entry = { .events = EPOLLIN };

        if (i >= OTHERS)
            entry.data.u64 = words[i - OTHERS];
        else if (i == 0)
            entry.data.ptr = buffer;
        else /* as the library's own may look */
            entry.data.u64 = (uint64_t)1 << 32 | (unsigned)(i == 1 ? s[0] : p);
        QUEUED(ioevent_read(s[0], in, sizeof in));
        OK(epoll_ctl(p, EPOLL_CTL_ADD, ready, &entry));
        for (int round = 0; round < 3; round++)
            QUIET(p);
        OK(write(s[1], "hello", 5));
        EXPECT(p, 7, 5, 0);
        OK(epoll_ctl(p, EPOLL_CTL_DEL, ready, NULL));
        QUIET(p);
    }
    free(buffer);
    return 0;
}
