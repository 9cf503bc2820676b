/*
 * Closing the pipe ends every operation; when it returns no buffer is in use and every descriptor is detached; it
 * leaks nothing: rule 3.7.
 */
#include "test.h"

enum { SIZE = 32 << 20 };

static void once(void)
{
    static char out[SIZE];
    int p = OK(ioeventpipe(16)), other = OK(ioeventpipe(4)), fd[2], pipes[2], l, c;
    char a[8], b[8];
    struct address addr, from = { .length = sizeof from.storage };
    struct ioevent e;

    unix_pair(fd);
    OK(pipe2(pipes, O_CLOEXEC));
    l = listener(AF_INET, 4, &addr);
    ATTACH(fd[0], p, 1);
    ATTACH(pipes[0], p, 2);
    ATTACH(pipes[1], p, 3);
    ATTACH(l, p, 4);
    ATTACH(fd[1], other, 5);
    QUEUED(ioevent_write(fd[0], out, SIZE));
    QUEUED(ioevent_read(fd[0], a, sizeof a));
    QUEUED(ioevent_poll(fd[0], 0));
    QUEUED(ioevent_read(pipes[0], b, sizeof b));
    QUEUED(ioevent_accept(l, SOCKADDR(&from), &from.length));
    QUEUED(ioevent_poll(fd[1], POLLRDHUP)); /* on the other pipe */
    QUIET(p);
    GIVES(ioevent_close(p), 0);
    FAILS(fcntl(p, F_GETFD), EBADF);

    /* detached, and libc's own again */
    ATTACHED(fd[0], -1, 0);
    ATTACHED(pipes[0], -1, 0);
    ATTACHED(pipes[1], -1, 0);
    ATTACHED(l, -1, 0);
    ATTACHED(fd[1], other, 5);
    FAILS(ioevent_cancel(fd[0]), EINVAL);
    memset(a, 0xee, sizeof a);
    memset(b, 0xee, sizeof b);
    memset(&from, 0xee, sizeof from);
    OK(write(fd[1], "abc", 3));
    OK(write(pipes[1], "abc", 3));
    c = OK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    OK(connect(c, SOCKADDR(&addr), addr.length));
    STAYS_QUIET(other);
    CHECK(is_all(a, 0xee, sizeof a) && is_all(b, 0xee, sizeof b) && is_all(&from, 0xee, sizeof from));
    GIVES(ioevent_read(fd[0], a, sizeof a), 3);
    GIVES(ioevent_read(pipes[0], a, sizeof a), 3);
    OK(close(c));
    c = OK(ioevent_accept(l, NULL, NULL));
    OK(close(c));
    OK(close(fd[0]));
    e = HARVEST(other);
    CHECK(e.ioe_user == USER(5) && (e.ioe_result & POLLRDHUP));
    GIVES(ioevent_close(fd[1]), 0);
    GIVES(ioevent_close(other), 0);
    OK(close(pipes[0]));
    OK(close(pipes[1]));
    OK(close(l));
}

int main(void)
{
    int before;

    once();
    before = count_fds();
    for (int i = 0; i < 20; i++)
        once();
    SAME(count_fds(), before);
    return 0;
}
