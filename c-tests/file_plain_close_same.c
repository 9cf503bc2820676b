/*
 * A file closed behind the library's back by plain close(2), and the same file opened anew on its number, which is
 * another open file with a position and flags of its own: noticed at the latest when asked for with F_GETIOEVENTPIPE:
 * rule 4.4.
 */
#include "test_file.h"

int main(void)
{
    int p = OK(ioeventpipe(4));

    for (int which = 0; which < FILES; which++)
        for (int used = 0; used < 2; used++) {
            int fd = make_file(which), new = reopen(fd, O_RDWR);
            char b[4];

            fill_file(fd, 100);
            ATTACH(fd, p, 1);
            if (used) {
                QUEUED(ioevent_read(fd, b, sizeof b));
                EXPECT(p, 1, sizeof b, 0);
            }
            OK(close(fd));
            OK(dup2(new, fd));
            OK(close(new));
            ATTACHED(fd, -1, 0);
            GIVES(ioevent_read(fd, b, sizeof b), sizeof b);
            QUIET(p);
            OK(close(fd));
        }
    return 0;
}
