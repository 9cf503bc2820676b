/*
 * An operation that the kernel is at work on and cannot interrupt: cancel does not count it, a timeout does not end
 * it, nor does detaching or closing its descriptor; its event comes when the kernel is done, and says what happened:
 * rule 4.8. What only waits behind it is ended as ever: rule 4.3, rule 4.7.
 */
#include "test_held.h"

enum { CANCEL, TIMEOUT, DETACHED, CLOSED, REPLACED, HOWS };
enum { PREAD, PWRITE, READ, WRITE, KINDS };

static int p;

/* Returns whether the operation was held at all. */
static int run(int how, int kind)
{
    bool writes = kind == PWRITE || kind == WRITE, behind = kind == READ || kind == WRITE, held = false;
    int fd = held_file(3 * HELD_PAGE, writes), check = reopen(fd, O_RDONLY), other = -1;
    /* Time enough for the operation to come to its page: what has not begun yet is ended. */
    long long limit = 300000000LL * test_slowness(), begin;
    char *page = held_page(), b[8];

    ATTACH(fd, p, 1);
    if (how == TIMEOUT)
        GIVES(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &(struct timespec){ limit / 1000000000, limit % 1000000000 }), 0);
    begin = now_ns();
    switch (kind) {
    case PREAD: held = IS_HELD(ioevent_pread(fd, page, HELD_PAGE, HELD_PAGE)); break;
    case PWRITE: held = IS_HELD(ioevent_pwrite(fd, page, HELD_PAGE, HELD_PAGE)); break;
    case READ: held = IS_HELD(ioevent_read(fd, page, HELD_PAGE)); break;
    case WRITE: held = IS_HELD(ioevent_write(fd, page, HELD_PAGE)); break;
    }
    if (!held) {
        EXPECT(p, 1, HELD_PAGE, 0);
        GIVES(ioevent_close(fd), 0);
        OK(close(check));
        return 0;
    }
    if (behind) {
        ATTACH(fd, p, 2);
        if (kind == READ)
            QUEUED(ioevent_read(fd, b, sizeof b));
        else
            QUEUED(ioevent_write(fd, "behind", 6));
    }
    QUIET(p);
    switch (how) {
    case CANCEL:
        GIVES(ioevent_cancel(fd), behind);
        GIVES(ioevent_cancel(fd), 0);
        GIVES(ioevent_cancel2(fd, IOEVENT_CANCEL_ALL, NULL), 0);
        break;
    case DETACHED:
        DETACH(fd);
        ATTACHED(fd, -1, 0);
        break;
    case CLOSED:
        GIVES(ioevent_close(fd), 0);
        FAILS(fcntl(fd, F_GETFD), EBADF);
        break;
    case REPLACED: /* the number is another file, attached, before it is done */
        other = disk_file();
        fill_file(other, 100);
        GIVES(ioevent_dup2(other, fd), fd);
        break;
    }
    if (how == TIMEOUT)
        UNTIL(now_ns() > begin + limit + 20000000);
    if (behind)
        EXPECT(p, 2, -1, how == TIMEOUT ? ETIMEDOUT : ECANCELED);
    if (how == REPLACED) {
        ATTACH(fd, p, 3);
        QUEUED(ioevent_pread(fd, b, sizeof b, 50));
        EXPECT(p, 3, sizeof b, 0);
        CHECK(is_pattern(b, 50, sizeof b));
    }
    STAYS_QUIET(p);
    RELEASE();
    EXPECT(p, 1, HELD_PAGE, 0);
    STAYS_QUIET(p);
    if (!writes) {
        CHECK(is_pattern(page, kind == PREAD ? HELD_PAGE : 0, HELD_PAGE));
    } else {
        char now[3 * HELD_PAGE];
        size_t at = kind == PWRITE ? HELD_PAGE : 0;

        SAME(pread(check, now, sizeof now, 0), sizeof now);
        CHECK(is_all(now + at, 0x11, HELD_PAGE));
        CHECK(is_pattern(now + HELD_PAGE + at, HELD_PAGE + at, HELD_PAGE)); /* nothing of what waited behind */
    }
    OK(close(check));
    if (how == REPLACED)
        OK(close(other));
    if (how != CLOSED)
        GIVES(ioevent_close(fd), 0);
    return 1;
}

int main(void)
{
    int held = 0;

    p = OK(ioeventpipe(8));
    for (int how = 0; how < HOWS; how++)
        for (int kind = 0; kind < KINDS; kind++)
            held += run(how, kind);
    if (!held)
        SKIP("the calling thread does the I/O by itself here");
    return 0;
}
