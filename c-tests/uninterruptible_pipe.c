/*
 * Closing a pipe waits for the operations that the kernel cannot interrupt; when it returns no buffer is in use, and
 * the file is written no more: rule 4.8, rule 3.7. Also when a dup2 replaces the pipe, and when the descriptor was
 * closed before it: rule 4.4.
 */
#include "test_held.h"

static int p, done, replace;
static pid_t tid;

static void *closer(void *unused)
{
    TELL_TID(tid);
    if (replace)
        GIVES(ioevent_dup2(0, p), p);
    else
        GIVES(ioevent_close(p), 0);
    SET(done, 1);
    return unused;
}

/* Returns whether the operation was held at all. */
static int run(bool writes, bool closed_before)
{
    int fd = held_file(2 * HELD_PAGE, writes), check = reopen(fd, O_RDONLY), number;
    char *page = held_page(), now[2 * HELD_PAGE];
    pthread_t t;
    bool held;

    p = OK(ioeventpipe(4));
    ATTACH(fd, p, 1);
    if (writes)
        held = IS_HELD(ioevent_pwrite(fd, page, HELD_PAGE, HELD_PAGE));
    else
        held = IS_HELD(ioevent_pread(fd, page, HELD_PAGE, HELD_PAGE));
    if (!held) {
        GIVES(ioevent_close(p), 0);
        OK(close(fd));
        OK(close(check));
        return 0;
    }
    if (closed_before)
        GIVES(ioevent_close(fd), 0);
    SET(tid, 0);
    SET(done, 0);
    number = p;
    t = start_thread(closer, NULL);
    UNTIL_ASLEEP(tid);
    for (int i = 0; i < 20; i++)
        breathe();
    SAME(GET(done), 0);
    RELEASE();
    ZERO(pthread_join(t, NULL));
    if (writes) {
        memset(page, 0x22, HELD_PAGE); /* too late for the file */
        for (int i = 0; i < 20; i++)
            breathe();
        SAME(pread(check, now, sizeof now, 0), sizeof now);
        CHECK(is_pattern(now, 0, HELD_PAGE) && is_all(now + HELD_PAGE, 0x11, HELD_PAGE));
    } else {
        CHECK(is_pattern(page, HELD_PAGE, HELD_PAGE));
        memset(page, 0x22, HELD_PAGE);
        for (int i = 0; i < 20; i++)
            breathe();
        CHECK(is_all(page, 0x22, HELD_PAGE));
    }
    if (!closed_before) {
        ATTACHED(fd, -1, 0);
        OK(close(fd));
    }
    OK(close(check));
    if (replace)
        OK(close(number));
    return 1;
}

int main(void)
{
    int held = 0;

    for (int i = 0; i < 8; i++) {
        replace = i & 4;
        held += run(i & 1, i & 2);
    }
    if (!held)
        SKIP("the calling thread does the I/O by itself here");
    return 0;
}
