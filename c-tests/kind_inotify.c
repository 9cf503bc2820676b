/* An inotify descriptor can be attached, blocking or not: rule 4.1. */
#include "test.h"
#include <sys/inotify.h>

static void run(int flags)
{
    char dir[] = "/tmp/ioevent-test-XXXXXX", path[64];
    int p = OK(ioeventpipe(8)), fd = OK(inotify_init1(flags));
    union { struct inotify_event event; char space[4096]; } b, c;

    CHECK(mkdtemp(dir) != NULL);
    OK(inotify_add_watch(fd, dir, IN_CREATE | IN_DELETE));
    ATTACH(fd, p, 1);
    QUEUED(ioevent_read(fd, &b, sizeof b));
    QUIET(p);
    snprintf(path, sizeof path, "%s/x", dir);
    OK(close(OK(open(path, O_CREAT | O_WRONLY, 0600))));
    CHECK(HARVEST(p).ioe_result >= (int)sizeof(struct inotify_event));
    SAME(b.event.mask, IN_CREATE);
    CHECK(strcmp(b.event.name, "x") == 0);

    /* two at once that are read one by one: what a short read leaves is found */
    OK(unlink(path));
    OK(close(OK(open(path, O_CREAT | O_WRONLY, 0600))));
    QUIET(p);
    QUEUED(ioevent_read(fd, &b, sizeof(struct inotify_event) + 16));
    QUEUED(ioevent_read(fd, &c, sizeof c));
    CHECK(HARVEST(p).ioe_result > 0);
    CHECK(HARVEST(p).ioe_result > 0);
    SAME(b.event.mask, IN_DELETE);
    SAME(c.event.mask, IN_CREATE);

    /* too small a buffer */
    OK(unlink(path));
    EITHER(ioevent_read(fd, &b, 4), p, 1, EINVAL);
    SAME(!!(fcntl(fd, F_GETFL) & O_NONBLOCK), !!flags);
    GIVES(ioevent_close(fd), 0);
    STAYS_QUIET(p);
    GIVES(ioevent_close(p), 0);
    OK(rmdir(dir));
}

int main(void)
{
    run(0);
    run(IN_NONBLOCK);
    return 0;
}
