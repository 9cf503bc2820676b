/* The order of posted events holds beside I/O, and for a thread that posts and harvests itself: rule 3.5. */
#include "test.h"

enum { N = 3000 };

int main(void)
{
    int p = OK(ioeventpipe(12)), fd[2], posted = 0, seen = 0, reads = 0;
    uint64_t seed = 42;
    char b[8];

    unix_pair(fd);
    ATTACH(fd[0], p, 2);
    while (seen < N) {
        struct ioevent e[6];
        int n = (int)(next_random(&seed) % 4);

        for (int i = 0; i < n && posted < N; i++) {
            e[0] = (struct ioevent){ USER(1), posted, 0 };
            if (ioevent_write(p, e, sizeof *e) == -1) {
                SAME(errno, EIOEVENTFULL);
                break;
            }
            posted++;
        }
        if (reads < 10 && next_random(&seed) % 2) {
            if (next_random(&seed) % 2)
                OK(write(fd[1], "x", 1));
            if (ioevent_read(fd[0], b, 1) == -1 && errno == EIOEVENTQUEUED)
                reads++;
            else
                SAME(errno, EIOEVENTFULL);
        } else if (reads > 5) {
            OK(write(fd[1], "x", 1));
        }
        n = OK(ioevent_wait(p, e, (int)(next_random(&seed) % 6) + 1, &no_wait));
        for (int i = 0; i < n; i++)
            if (e[i].ioe_user == USER(1))
                SAME(e[i].ioe_result, seen++);
            else
                reads--;
    }
    return 0;
}
