/*
 * A child that is forked while a disk operation is at work holds no copy of its file, not even when the parent has
 * closed the number under it, and the library alone holds the file: rules 4.8, 5.2, 5.5.
 */
#include "test_held.h"

/* The child has nothing but these, and what can do nothing. */
static void has_only(const bool *mine, int n)
{
    for (int i = 0; i < 2048; i++) {
        int flags = fcntl(i, F_GETFL);

        if (flags == -1 || (i < n && mine[i]) || (flags & O_PATH))
            continue;
        dprintf(2, "the child has number %d\n", i);
        _exit(1);
    }
}

static void run(int how)
{
    bool mine[512] = { false };
    char *page = held_page(), c;
    int p = OK(ioeventpipe(16)), file = held_file(65536, false), tell[2];
    pid_t pid;

    OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, tell));
    ATTACH(file, p, 1);
    for (int n = 0; n < 512; n++)
        mine[n] = fcntl(n, F_GETFD) != -1;
    if (!IS_HELD(how & 1 ? ioevent_pread(file, page, HELD_PAGE, 0) : ioevent_read(file, page, HELD_PAGE)))
        SKIP("the calling thread reads by itself");
    if (how & 2) { /* what holds the file then is the library's own */
        GIVES(ioevent_close(file), 0);
        mine[file] = false;
    }
    pid = fork_by(how & 4 ? RAW_CLONE : FORK);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm((unsigned)test_timeout());
        if (how & 4)
            ATTACHED(tell[1], -1, 0); /* the first call */
        has_only(mine, 512);
        close(tell[0]);
        OK(write(tell[1], "", 1));
        read_all(tell[1], &c, 1);
        _exit(0);
    }
    OK(close(tell[1]));
    read_all(tell[0], &c, 1);
    RELEASE();
    EXPECT(p, 1, HELD_PAGE, 0);
    CHECK(is_pattern(page, 0, HELD_PAGE));
    OK(write(tell[0], "", 1));
    CHILD_PASSED(pid);
    OK(close(tell[0]));
    if (!(how & 2))
        GIVES(ioevent_close(file), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int how = 0; how < (ON_ASAN ? 4 : 8); how++)
        run(how);
    return 0;
}
