/*
 * A pipe closed behind the library's back by plain close(2) is noticed at the latest when its number becomes a pipe:
 * nothing of the old one is seen in the new one, and no other file is touched: rule 3.7.
 */
#include "test.h"

static void once(void)
{
    int p = OK(ioeventpipe(8)), fd[2], x[2], q, others[16], n;
    char b[8], c[8];
    struct ioevent e;

    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    GIVES(ioevent_write(p, &(struct ioevent){ USER(5), 5, 5 }, sizeof e), sizeof e);
    OK(close(p));

    /* the number is another file for a while: not touched */
    OK(pipe2(x, O_CLOEXEC));
    if (x[0] != p && x[1] != p)
        OK(dup2(x[0], p));
    OK(write(x[1], "12345678901234567890", 20));
    ioevent_wait(p, &e, 1, &no_wait); /* an error, nothing, or an event of the old pipe */
    SAME(drain(x[0]), 20);
    OK(close(x[0]));
    OK(close(x[1]));
    close(p);

    /* it becomes a pipe */
    q = -1;
    for (n = 0; n < 16 && q == -1; n++) {
        others[n] = OK(ioeventpipe(2));
        if (others[n] == p)
            q = p;
    }
    if (q == -1)
        SKIP("the number did not become a pipe again");
    for (int i = 0; i < n - 1; i++)
        GIVES(ioevent_close(others[i]), 0);
    QUIET(q);
    ATTACHED(fd[0], -1, 0);
    OK(write(fd[1], "abc", 3));
    STAYS_QUIET(q);
    ATTACH(fd[0], q, 2);
    QUEUED(ioevent_read(fd[0], c, sizeof c));
    EXPECT(q, 2, 3, 0);
    CHECK(memcmp(c, "abc", 3) == 0);
    QUEUED(ioevent_read(fd[0], c, sizeof c));
    QUEUED(ioevent_read(fd[0], c, sizeof c)); /* it has the places of the new one */
    FAILS(ioevent_read(fd[0], c, sizeof c), EIOEVENTFULL);
    GIVES(ioevent_close(q), 0);
    OK(close(fd[0]));
    OK(close(fd[1]));
}

int main(void)
{
    int before;

    once();
    before = count_fds();
    for (int i = 0; i < 10; i++)
        once();
    SAME(count_fds(), before);
    return 0;
}
