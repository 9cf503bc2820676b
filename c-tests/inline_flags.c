/*
 * F_SETIOEVENTFLAGS and F_GETIOEVENTFLAGS: what was set is what is got; unknown flags are EINVAL: rule 1.4. They need
 * an attached descriptor; attaching again keeps them, detaching and closing clear them: rule 4.2.
 */
#include "test.h"

#define FLAGS_ARE(fd, flags) GIVES(ioevent_fcntl(fd, F_GETIOEVENTFLAGS), flags)

int main(void)
{
    int p = OK(ioeventpipe(4)), q = OK(ioeventpipe(4)), fd[2], copy;
    char b[8];

    unix_pair(fd);
    FAILS(ioevent_fcntl(fd[0], F_GETIOEVENTFLAGS), EINVAL);
    FAILS(ioevent_fcntl(fd[0], F_SETIOEVENTFLAGS, 0), EINVAL);
    FAILS(ioevent_fcntl(fd[0], F_SETIOEVENTFLAGS, IOEVENT_INLINE), EINVAL);
    FAILS(ioevent_fcntl(p, F_GETIOEVENTFLAGS), EINVAL);
    FAILS(ioevent_fcntl(p, F_SETIOEVENTFLAGS, IOEVENT_INLINE), EINVAL);
    FAILS(ioevent_fcntl(-1, F_GETIOEVENTFLAGS), EBADF);
    FAILS(ioevent_fcntl(-1, F_SETIOEVENTFLAGS, 0), EBADF);

    ATTACH(fd[0], p, 1);
    FLAGS_ARE(fd[0], 0);
    for (int flags = 0; flags <= 3; flags++) {
        GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTFLAGS, flags), 0);
        FLAGS_ARE(fd[0], flags);
        for (int bit = 2; bit < 32; bit++)
            FAILS(ioevent_fcntl(fd[0], F_SETIOEVENTFLAGS, (int)(1u << bit | (unsigned)flags)), EINVAL);
        FAILS(ioevent_fcntl(fd[0], F_SETIOEVENTFLAGS, -1), EINVAL);
        FLAGS_ARE(fd[0], flags);
    }

    /* attached again */
    GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    ATTACH(fd[0], p, 2);
    FLAGS_ARE(fd[0], IOEVENT_INLINE);
    ATTACH(fd[0], q, 3);
    FLAGS_ARE(fd[0], IOEVENT_INLINE);
    GIVES(ioevent_write(fd[0], "abc", 3), 3);

    /* a copy has its own */
    copy = OK(dup(fd[0]));
    FAILS(ioevent_fcntl(copy, F_GETIOEVENTFLAGS), EINVAL);
    ATTACH(copy, p, 4);
    FLAGS_ARE(copy, 0);
    QUEUED(ioevent_write(copy, "d", 1));
    EXPECT(p, 4, 1, 0);
    GIVES(ioevent_fcntl(copy, F_SETIOEVENTFLAGS, IOEVENT_POLLONLY), 0);
    FLAGS_ARE(fd[0], IOEVENT_INLINE);
    GIVES(ioevent_close(copy), 0);
    OK(dup2(fd[0], copy));
    ATTACH(copy, p, 5);
    FLAGS_ARE(copy, 0);

    /* cleared; and by whatever detaches */
    DETACH(fd[0]);
    FAILS(ioevent_fcntl(fd[0], F_GETIOEVENTFLAGS), EINVAL);
    ATTACH(fd[0], q, 6);
    FLAGS_ARE(fd[0], 0);
    QUEUED(ioevent_write(fd[0], "e", 1));
    EXPECT(q, 6, 1, 0);
    GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTFLAGS, IOEVENT_INLINE | IOEVENT_POLLONLY), 0);
    GIVES(ioevent_close(q), 0);
    ATTACH(fd[0], p, 7);
    FLAGS_ARE(fd[0], 0);

    /* changed while something waits: that ends in its event */
    QUEUED(ioevent_read(fd[0], b, 1));
    GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    OK(write(fd[1], "xy", 2));
    EXPECT(p, 7, 1, 0);
    GIVES(ioevent_read(fd[0], b, 8), 1);
    GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTFLAGS, 0), 0);
    OK(write(fd[1], "z", 1));
    QUEUED(ioevent_read(fd[0], b, 8));
    EXPECT(p, 7, 1, 0);
    STAYS_QUIET(p);
    return 0;
}
