/*
 * A file closed behind the library's back by plain close(2), and another file on its number, is noticed at the latest
 * when the number is attached again or detached, asked for with F_GETIOEVENTPIPE, or closed by ioevent_close:
 * rule 4.4.
 */
#include "test_file.h"

enum { REATTACH, DETACHING, ASKING, CLOSING, HOWS };
enum { FREE, OTHER_FILE, SOCKET, FROM_SOCKET, DEVICE, NOWS };

static int p, q;

/* The number becomes what `now` says. */
static void replace(int number, int now)
{
    int s[2], new = -1;

    OK(close(number));
    switch (now) {
    case FREE: return;
    case OTHER_FILE:
    case FROM_SOCKET: new = disk_file(); break;
    case DEVICE: new = OK(open("/dev/zero", O_RDWR)); break;
    case SOCKET:
        unix_pair(s);
        OK(close(s[1]));
        new = s[0];
        break;
    }
    if (new != number) {
        OK(dup2(new, number));
        OK(close(new));
    }
}

static void run(int which, int how, int now, bool used)
{
    int fd = make_file(which), number, s[2] = { -1, -1 };
    char b[8] = "", c[8];

    fill_file(fd, 100);
    number = fd;
    if (now == FROM_SOCKET) {
        unix_pair(s);
        OK(dup2(s[0], number));
        OK(close(s[0]));
    }
    ATTACH(number, p, 1);
    if (used) {
        QUEUED(ioevent_write(number, b, sizeof b));
        EXPECT(p, 1, sizeof b, 0);
    }
    QUIET(p);
    replace(number, now);
    switch (how) {
    case REATTACH:
        if (now != FREE) {
            ATTACH(number, q, 2);
            ATTACHED(number, q, 2);
        } else {
            FAILS(ioevent_fcntl(number, F_SETIOEVENTPIPE, q, USER(2)), EBADF);
        }
        break;
    case DETACHING:
        if (now != FREE)
            DETACH(number);
        else
            FAILS(ioevent_fcntl(number, F_SETIOEVENTPIPE, -1, (void *)NULL), EBADF);
        break;
    case ASKING:
        if (now != FREE)
            ATTACHED(number, -1, 0);
        else
            FAILS(ioevent_fcntl(number, F_GETIOEVENTPIPE, &(int){ 0 }, &(void *){ NULL }), EBADF);
        break;
    case CLOSING:
        if (now != FREE)
            GIVES(ioevent_close(number), 0);
        else
            FAILS(ioevent_close(number), EBADF);
        FAILS(fcntl(number, F_GETFD), EBADF);
        break;
    }
    QUIET(p);
    if (now != FREE && how != CLOSING && now != SOCKET) { /* it works as what it is now */
        if (how == REATTACH) {
            QUEUED(ioevent_pwrite(number, "new", 3, 0));
            EXPECT(q, 2, 3, 0);
            GIVES(pread(number, c, 3, 0), 3);
            GIVES(ioevent_close(number), 0);
        } else {
            ATTACHED(number, -1, 0);
            GIVES(ioevent_pwrite(number, "new", 3, 0), 3);
            GIVES(ioevent_pread(number, c, 3, 0), 3);
            OK(close(number));
        }
        CHECK(now == DEVICE || memcmp(c, "new", 3) == 0);
    } else if (fcntl(number, F_GETFD) >= 0) {
        GIVES(ioevent_close(number), 0);
    }
    if (s[1] >= 0)
        OK(close(s[1]));
    QUIET(p);
    QUIET(q);
}

int main(void)
{
    p = OK(ioeventpipe(8));
    q = OK(ioeventpipe(8));
    for (int which = 0; which < FILES; which++)
        for (int how = 0; how < HOWS; how++)
            for (int now = 0; now < NOWS; now++)
                for (int used = 0; used < 2; used++)
                    run(which, how, now, used);
    STAYS_QUIET(p);
    return 0;
}
