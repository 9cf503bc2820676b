/*
 * A descriptor closed behind the library's back by plain close(2) is noticed at the latest when its number is
 * replaced by ioevent_dup2 or ioevent_dup3; its operations are ended then: rule 4.4. The number is free or another
 * file by then.
 */
#include "test_file.h"

static int p;

static void run(int which, bool reused, bool three)
{
    int fd[2], x[2], y[2], number;
    char b[8], c[8];

    if (!stream_pair(which, fd))
        return;
    unix_pair(x);
    unix_pair(y);
    number = fd[0];
    ATTACH(number, p, 1);
    QUEUED(ioevent_read(number, b, sizeof b));
    QUEUED(ioevent_poll(number, POLLPRI));
    QUIET(p);
    OK(close(number));
    if (reused)
        OK(dup2(x[0], number));
    if (three)
        GIVES(ioevent_dup3(y[0], number, 0), number);
    else
        GIVES(ioevent_dup2(y[0], number), number);
    EXPECT(p, 1, -1, ECANCELED);
    EXPECT(p, 1, -1, ECANCELED);
    ATTACHED(number, -1, 0);
    memset(b, 0xee, sizeof b);
    OK(write(y[1], "new", 3));
    GIVES(ioevent_read(number, c, sizeof c), 3);
    CHECK(memcmp(c, "new", 3) == 0);
    OK(write(x[1], "x", 1)); /* the file that was replaced unseen lives on elsewhere, untouched */
    GIVES(read(x[0], c, sizeof c), 1);
    STAYS_QUIET(p);
    CHECK(is_all(b, 0xee, sizeof b));
    OK(close(number));
    OK(close(fd[1]));
    for (int i = 0; i < 2; i++) {
        OK(close(x[i]));
        OK(close(y[i]));
    }
}

int main(void)
{
    p = OK(ioeventpipe(8));
    for (int which = 0; which < STREAMS; which++)
        for (int i = 0; i < 4; i++)
            run(which, i & 1, i & 2);
    return 0;
}
