/* An eventfd can be attached, blocking or not; its read and its write wait as the blocking calls do: rule 4.1. */
#include "test.h"
#include <sys/eventfd.h>

static void run(int flags)
{
    int p = OK(ioeventpipe(8)), fd = OK(eventfd(0, flags));
    uint64_t in = 0, out = 5, big = UINT64_MAX - 1;

    ATTACH(fd, p, 1);
    QUEUED(ioevent_read(fd, &in, 8));
    QUIET(p);
    OK(write(fd, &out, 8));
    EXPECT(p, 1, 8, 0);
    SAME(in, flags & EFD_SEMAPHORE ? 1 : 5);
    drain(fd);

    /* a write that fits, read by its own kind */
    QUEUED(ioevent_write(fd, &out, 8));
    EXPECT(p, 1, 8, 0);
    QUEUED(ioevent_read(fd, &in, 8));
    EXPECT(p, 1, 8, 0);
    SAME(in, flags & EFD_SEMAPHORE ? 1 : 5);
    GIVES(ioevent_close(fd), 0);

    /* a write that does not fit waits */
    fd = OK(eventfd(0, flags & ~EFD_SEMAPHORE));
    ATTACH(fd, p, 2);
    OK(write(fd, &big, 8));
    QUEUED(ioevent_write(fd, &out, 8));
    STAYS_QUIET(p);
    OK(read(fd, &in, 8));
    SAME(in, big);
    EXPECT(p, 2, 8, 0);
    OK(read(fd, &in, 8));
    SAME(in, 5);
    OK(write(fd, &big, 8));
    QUEUED(ioevent_write(fd, &out, 8));
    QUIET(p);
    QUEUED(ioevent_read(fd, &in, 8)); /* a read does not wait for the write, and makes room for it */
    EXPECT(p, 2, 8, 0);
    EXPECT(p, 2, 8, 0);
    SAME(in, big);
    OK(read(fd, &in, 8));
    SAME(in, 5);

    /* sizes it does not take */
    EITHER(ioevent_read(fd, &in, 7), p, 2, EINVAL);
    EITHER(ioevent_write(fd, &in, 7), p, 2, EINVAL);
    in = UINT64_MAX;
    EITHER(ioevent_write(fd, &in, 8), p, 2, EINVAL);
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    run(0);
    run(EFD_NONBLOCK);
    run(EFD_SEMAPHORE);
    run(EFD_SEMAPHORE | EFD_NONBLOCK);
    return 0;
}
