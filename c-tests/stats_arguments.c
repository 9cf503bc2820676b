/*
 * ioevent_stats(3): what it makes of structs of other sizes, of bad memory, and of descriptors that are no pipe; in a
 * forked child; and that it leaves errno alone where it succeeds: rule 7.3, rule 5.1, rule 5.2.
 */
#include "test.h"
#include "test_stats.h"

int main(void)
{
    int p = OK(ioeventpipe(5)), fd[2], closed;
    struct { struct ioevent_stats stats; unsigned char more[64]; } larger;
    enum { SIZE = sizeof larger.stats };
    unsigned char *odd = (unsigned char *)&larger + 3;
    struct ioevent_stats stats, *bad = bad_memory();
    char *pages = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t pid;

    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    errno = 4321;
    SAME(ioevent_stats(p, &stats, SIZE), SIZE);
    SAME(errno, 4321);
    SAME(stats.ios_capacity, 5);
    SAME(stats.ios_attached, 1);

    /* one of a later version: what this one does not know is 0 */
    memset(&larger, 0xee, sizeof larger);
    GIVES(ioevent_stats(p, &larger.stats, SIZE + 32), SIZE);
    SAME(larger.stats.ios_capacity, 5);
    CHECK(is_all(larger.more, 0, 32));
    CHECK(is_all(larger.more + 32, 0xee, 32));
    /* the whole page, and any alignment */
    GIVES(ioevent_stats(p, (struct ioevent_stats *)pages, 4096), SIZE);
    GIVES(ioevent_stats(p, (struct ioevent_stats *)odd, SIZE), SIZE);
    CHECK(memcmp(odd, &stats, SIZE) == 0);

    /* no size that it has, or may have */
    for (size_t size = 0; size < SIZE; size++)
        FAILS(ioevent_stats(p, &larger.stats, size), EINVAL);
    FAILS(ioevent_stats(p, &larger.stats, SIZE + 4), EINVAL);
    FAILS(ioevent_stats(p, &larger.stats, 4104), EINVAL);
    FAILS(ioevent_stats(p, &larger.stats, SIZE_MAX), EINVAL);
    CHECK(is_all(larger.more + 32, 0xee, 32));

    /* memory that is not there, whole or in part, or is not to be written */
    if (!on_valgrind()) {
        FAILS(ioevent_stats(p, NULL, SIZE), EFAULT);
        FAILS(ioevent_stats(p, bad, SIZE), EFAULT);
        OK(mprotect(pages + 4096, 4096, PROT_READ));
        FAILS(ioevent_stats(p, (struct ioevent_stats *)(pages + 4096), SIZE), EFAULT);
        FAILS(ioevent_stats(p, (struct ioevent_stats *)(pages + 4096 - SIZE + 8), SIZE), EFAULT);
        FAILS(ioevent_stats(p, (struct ioevent_stats *)(pages + 8192 - 8), SIZE), EFAULT);
        GIVES(ioevent_stats(p, (struct ioevent_stats *)(pages + 4096 - SIZE), SIZE), SIZE);
    }

    /* no pipe */
    closed = OK(dup(2));
    OK(close(closed));
    FAILS(ioevent_stats(-1, &stats, SIZE), EBADF);
    FAILS(ioevent_stats(INT_MAX, &stats, SIZE), EBADF);
    FAILS(ioevent_stats(closed, &stats, SIZE), EBADF);
    FAILS(ioevent_stats(fd[0], &stats, SIZE), EINVAL);
    FAILS(ioevent_stats(fd[1], &stats, SIZE), EINVAL);

    /* the child has no pipes; its own begin anew */
    if (child(&pid)) {
        int q;

        CHECK(ioevent_stats(p, &stats, SIZE) == -1 && (errno == EBADF || errno == EINVAL));
        q = OK(ioeventpipe(3));
        SAME(stats_of(q).ios_capacity, 3);
        SAME(stats_of(q).ios_attached, 0);
        CHECK(ioevent_stats(p, &stats, SIZE) == -1 && (errno == EBADF || errno == EINVAL));
        _exit(0);
    }
    CHILD_PASSED(pid);
    SAME(stats_of(p).ios_attached, 1);

    GIVES(ioevent_close(p), 0);
    FAILS(ioevent_stats(p, &stats, SIZE), EBADF);
    return 0;
}
