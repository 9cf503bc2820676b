/*
 * A file that is regular by stat(2) and that poll(2) can wait for, with IOEVENT_INLINE: what is there is given at once,
 * or queued; a read that has to wait is queued, and completes: rule 2.8, rule 2.4. Needs root.
 */
#include "test.h"

static char b[1 << 16];

int main(void)
{
    have_kernel_log_alone();
    int p = OK(ioeventpipe(4)), fd = open("/proc/kmsg", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int feeder = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
    struct timespec t = { 0, 500000000 };
    struct ioevent e;

    if (fd == -1 || feeder == -1)
        SKIP("no /proc/kmsg for this user");
    for (int i = 0; i < 4; i++) {
        long r;

        while (read(fd, b, sizeof b) > 0) {}
        set_nonblock(fd, i & 1);
        ATTACH(fd, p, 1);
        GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
        r = i & 2 ? ioevent_poll(fd, POLLIN) : ioevent_read(fd, b, sizeof b);
        if (r == -1) { /* else the kernel had something to tell just then */
            SAME(errno, EIOEVENTQUEUED);
            do
                GIVES(write(feeder, "ioevent test\n", 13), 13);
            while (ioevent_wait(p, &e, 1, &t) == 0); /* another reader of the log may have taken it */
            CHECK(e.ioe_user == USER(1) && e.ioe_result > 0 && e.ioe_errno == 0);
        } else {
            CHECK(r > 0);
        }
        DETACH(fd);
        set_nonblock(fd, true);
    }
    return 0;
}
