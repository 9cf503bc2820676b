/*
 * A program closes all descriptors while the event of an accept has not been read, and has files of its own on all
 * their numbers then: none of them is closed when the library finds its pipe lost: rule 5.5, rule 3.7.
 */
#include "test.h"

enum { FILES = 60 };

int main(void)
{
    struct address a;
    int p = OK(ioeventpipe(8)), l = listener(AF_INET, 0, &a), file[FILES], q;
    int c[3];

    ATTACH(l, p, 1);
    for (int i = 0; i < 3; i++) {
        c[i] = OK(socket(AF_INET, SOCK_STREAM, 0));
        OK(connect(c[i], SOCKADDR(&a), a.length));
        QUEUED(ioevent_accept(l, NULL, NULL));
    }
    if (syscall(SYS_close_range, 3, ~0U, 0) == -1)
        for (int n = 3; n < 1024; n++)
            close(n);
    for (int i = 0; i < FILES; i++)
        file[i] = OK(socket(AF_INET, SOCK_STREAM, 0));
    SAME(file[0], 3);
    for (int i = 0; i < 3; i++) {
        q = OK(ioeventpipe(8));
        GIVES(ioevent_close(q), 0);
    }
    ATTACHED(file[l - 3], -1, 0);
    for (int i = 0; i < FILES; i++)
        OK(fcntl(file[i], F_GETFD));
    GIVES(ioevent_close(p), 0); /* its own socket there */
    for (int i = 0; i < FILES; i++)
        if (file[i] != p)
            OK(fcntl(file[i], F_GETFD));
    return 0;
}
