/*
 * A file system that does not even answer whether its file is ready (poll(2) of such a file waits): neither to attach
 * it nor to read or poll it by the library waits for that, a harvest ends at its time limit, others are served: rule
 * 5.5, rule 3.2. Needs root and FUSE.
 */
#include "test_calls.h"
#include "test_fuse.h"

static int p;

static void let_go(void)
{
    SET(fuse_control->let_go, 1);
}

int main(void)
{
    int fd = OK(open(fuse_mount(false), O_RDWR | O_CLOEXEC)), s[2], r = 0, n = 2;
    struct timespec t = { 0, 100000000 };
    static char b[512], c[8];
    bool seen[4] = { false };
    struct stat stat;
    struct ioevent e;

    calls_let_go = let_go;
    OK(fstat(fd, &stat)); /* this one it has answered */
    ZERO(pthread_detach(start_thread(watch_calls, NULL)));
    p = OK(ioeventpipe(64));
    unix_pair(s);
    ATTACH(s[0], p, 3);
    SET(fuse_control->hold, FUSE_BIT(FUSE_POLL));
    RETURNS(r = ioevent_fcntl(fd, F_SETIOEVENTPIPE, p, USER(1)));
    SAME(r, 0);
    RETURNS(({ QUEUED(ioevent_read(fd, b, sizeof b)); 0; }));
    RETURNS(ioevent_fcntl(fd, F_SETIOEVENTPIPE, p, USER(2)));
    RETURNS(({ QUEUED(ioevent_poll(fd, POLLIN)); 0; }));
    for (int i = 0; i < 3; i++) {
        RETURNS(r = ioevent_wait(p, &e, 1, &t));
        if (r == 1) { /* the read may be done, or the poll be told without a question */
            uintptr_t user = (uintptr_t)e.ioe_user;

            CHECK(user >= 1 && user <= 2 && !seen[user] && e.ioe_errno == 0);
            seen[user] = true;
            n--;
        }
    }
    QUEUED(ioevent_read(s[0], c, sizeof c));
    OK(write(s[1], "abc", 3));
    RETURNS((e = HARVEST(p)).ioe_result);
    if (e.ioe_user != USER(3)) {
        n--;
        RETURNS((e = HARVEST(p)).ioe_result);
    }
    CHECK(e.ioe_user == USER(3) && e.ioe_result == 3);
    SET(fuse_control->let_go, 1);
    for (; n > 0; n--) {
        e = HARVEST(p);
        CHECK(e.ioe_user == USER(1) ? e.ioe_result == 512 : e.ioe_user == USER(2) && e.ioe_result & POLLIN);
    }
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd), 0);
    return 0;
}
