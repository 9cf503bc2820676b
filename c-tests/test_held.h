/*
 * Disk operations that stay in the kernel for as long as a test wants: the memory that they are to read from or write
 * into has no page yet, and userfaultfd(2) lets this program say when it gets one. Needs Linux and, mostly, root.
 */
#ifndef TEST_HELD_H
#define TEST_HELD_H

#include "test_file.h"
#include <linux/userfaultfd.h>

enum { HELD_PAGE = 4096, HELD_PAGES = 64 };

static char *held_area;      /* each page holds one operation */
static int held_uffd = -1;
static int held_now;         /* operations that have come to their page */
static int held_released;    /* how many of them may go on */
static int held_state;       /* of the call: not back yet, back, given up waiting for that */

enum { HELD_CALLING, HELD_QUEUED, HELD_INLINE };

static inline bool held_settle(int state)
{
    int calling = HELD_CALLING;

    return __atomic_compare_exchange_n(&held_state, &calling, state, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static inline void *held_serve(void *unused)
{
    struct uffd_msg message;
    static char fresh[HELD_PAGE];

    memset(fresh, 0x11, sizeof fresh);
    for (int i = 0; i < HELD_PAGES; i++) {
        struct uffdio_copy copy = { .src = (uintptr_t)fresh, .len = HELD_PAGE };
        long long begin = now_ns();

        SAME(read(held_uffd, &message, sizeof message), sizeof message);
        ADD(held_now, 1);
        while (GET(held_released) < i + 1) {
            breathe();
            if (now_ns() - begin > 1000000000LL && held_settle(HELD_INLINE))
                ADD(held_released, 1);
        }
        copy.dst = message.arg.pagefault.address & ~(uintptr_t)(HELD_PAGE - 1);
        OK(ioctl(held_uffd, UFFDIO_COPY, &copy));
    }
    return unused;
}

/* A page for the next operation that is to be held. Skips the test where that cannot be done. */
static inline char *held_page(void)
{
    static int n;
    struct uffdio_api api = { .api = UFFD_API };
    struct uffdio_register range;

    if (n == 0) {
        if (on_valgrind() || sysconf(_SC_PAGESIZE) != HELD_PAGE)
            SKIP("no userfaultfd under valgrind, or pages are large");
        held_uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
        if (held_uffd == -1 || ioctl(held_uffd, UFFDIO_API, &api) == -1)
            SKIP("no userfaultfd for the kernel's own accesses");
        held_area = mmap(NULL, HELD_PAGE * HELD_PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(held_area != MAP_FAILED);
        range = (struct uffdio_register){ .range = { (uintptr_t)held_area, HELD_PAGE * HELD_PAGES },
                                          .mode = UFFDIO_REGISTER_MODE_MISSING };
        OK(ioctl(held_uffd, UFFDIO_REGISTER, &range));
        ZERO(pthread_detach(start_thread(held_serve, NULL)));
    }
    CHECK(n < HELD_PAGES);
    SET(held_state, HELD_CALLING);
    return held_area + HELD_PAGE * n++;
}

/*
 * Queues an operation on that page and waits until the kernel holds it. False if the calling thread did the I/O by
 * itself, as it may where the kernel lets it try: then it is done, and there is nothing to release.
 */
#define IS_HELD(call)                                                           \
    ({                                                                          \
        int before_ = GET(held_now);                                            \
        QUEUED(call);                                                           \
        bool held_ = held_settle(HELD_QUEUED);                                  \
        UNTIL(GET(held_now) > before_);                                         \
        held_;                                                                  \
    })

/* Lets the oldest held operation go on. */
#define RELEASE() ADD(held_released, 1)

/* A file of n bytes of the pattern, of a kind where the kernel mostly cannot say "not yet". */
static inline int held_file(size_t n, bool to_write)
{
    int fd = make_file(to_write ? FILE_DISK : FILE_MEMORY);

    fill_file(fd, n);
    uncache(fd);
    return fd;
}

#endif
