/*
 * A listener that was shut down under an accept, and a pipe that is closed with the events unread: no descriptor is
 * closed that accept did not give, least of all 0: rule 3.7. Nor when the listener or its pipe is closed, detached or
 * attached elsewhere in between.
 */
#include "test.h"

enum { WAITED, PLAIN, CLOSED, DETACHED, MOVED, HOWS };

static struct stat null;

static void run(int type, int how, bool by_library)
{
    struct address a;
    struct stat now;
    int p = OK(ioeventpipe(8)), q = OK(ioeventpipe(8)), l = bound_socket(AF_UNIX, type, &a);

    OK(listen(l, 8));
    ATTACH(l, p, 1);
    QUEUED(ioevent_accept(l, NULL, NULL));
    QUEUED(ioevent_accept4(l, NULL, NULL, SOCK_CLOEXEC));
    if (by_library)
        QUEUED(ioevent_shutdown(l, SHUT_RDWR));
    else
        OK(shutdown(l, SHUT_RDWR));
    switch (how) {
    case CLOSED: GIVES(ioevent_close(l), 0); break;
    case DETACHED: DETACH(l); break;
    case MOVED: ATTACH(l, q, 2); QUEUED(ioevent_accept(l, NULL, NULL)); break;
    case WAITED: /* the library's own thread finds it */
        for (int i = 0; i < 50; i++)
            breathe();
        break;
    default: break;
    }
    GIVES(ioevent_close(p), 0);
    if (how == MOVED)
        EXPECT(q, 2, -1, EINVAL);
    GIVES(ioevent_close(q), 0);
    for (int fd = 0; fd < 2; fd++)
        CHECK(fstat(fd, &now) == 0 && now.st_rdev == null.st_rdev);
    if (how != CLOSED)
        OK(close(l));
}

int main(void)
{
    int fd = OK(open("/dev/null", O_RDWR));

    /* 0 and 1 are that file, whatever the caller left open */
    OK(fstat(fd, &null));
    for (int i = 0; i < 2; i++)
        if (fd != i)
            OK(dup2(fd, i));
    for (int how = 0; how < HOWS; how++)
        for (int by_library = 0; by_library < 2; by_library++) {
            run(SOCK_STREAM, how, by_library);
            run(SOCK_SEQPACKET, how, by_library);
        }
    return 0;
}
