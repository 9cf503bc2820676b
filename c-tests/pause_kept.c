/*
 * A connect that tries again from time to time (an AF_UNIX listener is full, and the kernel does not tell when it is
 * not) goes on to do so when another operation of the descriptor is refused, or ends: rule 2.4, rule 2.5.
 */
#include "test_connect.h"

int main(void)
{
    struct address a;
    int p = OK(ioeventpipe(1)), l = listener(AF_UNIX, 0, &a), c;
    char b[4];

    fill_backlog(&a);
    for (int flags = 0; flags <= IOEVENT_INLINE; flags += IOEVENT_INLINE) {
        c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
        ATTACH(c, p, 1);
        GIVES(ioevent_fcntl(c, F_SETIOEVENTFLAGS, flags), 0);
        QUEUED(ioevent_connect(c, SOCKADDR(&a), a.length));
        for (int i = 0; i < 3; i++) {
            FAILS(ioevent_read(c, b, sizeof b), EIOEVENTFULL);
            FAILS(ioevent_write(c, b, sizeof b), EIOEVENTFULL);
        }
        STAYS_QUIET(p);
        FAILS(ioevent_read(c, b, sizeof b), EIOEVENTFULL);
        OK(close(OK(accept(l, NULL, NULL))));
        EXPECT(p, 1, 0, 0);
    }
    return 0;
}
