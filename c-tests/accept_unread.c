/*
 * Connections that were there when accept was called, so that their events are ready at once, and which are not read:
 * their descriptors are closed with the pipe, and in a forked child, and with no other event: rules 3.7, 5.5.
 */
#include "test.h"

enum { READ = 3, ALL = 8 };

static void once(int family, bool forks)
{
    struct address a;
    int p = OK(ioeventpipe(2 * ALL)), l = listener(family, ALL, &a), c[ALL], s[2], status;
    struct ioevent e;
    pid_t pid;
    char x;

    unix_pair(s);
    ATTACH(l, p, 1);
    ATTACH(s[0], p, 2);
    QUIET(p); /* from now on the thread has room for events of its own */
    for (int i = 0; i < ALL; i++) {
        c[i] = OK(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        OK(connect(c[i], SOCKADDR(&a), a.length));
    }
    for (int i = 0; i < ALL; i++) {
        QUEUED(ioevent_accept4(l, NULL, NULL, SOCK_CLOEXEC));
        /* a result that is the number of a descriptor, between them */
        QUEUED(ioevent_write(s[0], "abcdefgh", 8));
    }
    for (int i = 0; i < READ; i++) {
        do
            e = HARVEST(p);
        while (e.ioe_user == USER(2));
        SAME(e.ioe_errno, 0);
        OK(fcntl(e.ioe_result, F_GETFD));
        OK(write(c[i], "x", 1));
        read_all(e.ioe_result, &x, 1);
        if (i + 1 < READ)
            GIVES(ioevent_close(e.ioe_result), 0);
    }
    if (forks && child(&pid)) {
        /* only the one that was read is open here, and so are all others of the program's */
        int sockets = 0;

        for (int n = 3; n < 400; n++) {
            struct stat st;

            sockets += n != p && fstat(n, &st) == 0 && S_ISSOCK(st.st_mode);
        }
        _exit(sockets == 1 + ALL + 2 + 1 ? 0 : sockets);
    }
    if (forks) {
        GIVES(waitpid(pid, &status, 0), pid);
        SAME(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
    }
    GIVES(ioevent_close(p), 0);
    OK(fcntl(e.ioe_result, F_GETFD));
    OK(fcntl(s[0], F_GETFD));
    OK(close(e.ioe_result));
    OK(close(l));
    for (int i = READ; i < ALL; i++) {
        struct pollfd f = { .fd = c[i], .events = POLLIN };

        GIVES(poll(&f, 1, -1), 1);
        CHECK(read(c[i], &x, 1) <= 0);
    }
    for (int i = 0; i < ALL; i++)
        OK(close(c[i]));
    OK(close(s[0]));
    OK(close(s[1]));
}

int main(void)
{
    int before;

    once(AF_INET, false);
    before = count_fds();
    for (int i = 0; i < 10; i++)
        once(i % 2 ? AF_INET : AF_UNIX, i >= 6);
    SAME(count_fds(), before);
    return 0;
}
