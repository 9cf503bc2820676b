/*
 * The first write of a socket with TCP_FASTOPEN_CONNECT connects; if the connection is refused, the write says so, as
 * the blocking one does, though its bytes have travelled with the request already: rule 2.4.
 */
#include "test_first_write.h"

/* A connection that is refused: the write says so, as the blocking one does. */
static void to_nobody(int way, int flags, bool nonblock, size_t n)
{
    static char data[4 << 20];
    struct address a;
    int nobody = closed_port(&a), s = deferred(&a, nonblock), twin = deferred(&a, false);
    long blocking;

    signal(SIGPIPE, SIG_IGN);
    blocking = write(twin, data, n);
    if (blocking == -1)
        blocking = -errno;
    ATTACH(s, p, 1);
    GIVES(ioevent_fcntl(s, F_SETIOEVENTFLAGS, flags), 0);
    SAME(outcome(way, s, data, n), blocking);
    STAYS_QUIET(p);
    GIVES(ioevent_close(s), 0);
    OK(close(nobody));
    OK(close(twin));
}

int main(void)
{
    struct address a;
    int l = listener(AF_INET, 4, &a), s = deferred(&a, false);

    if (s == -1 || write(s, "hello", 5) != 5)
        SKIP("no TCP fast open without cookies here");
    OK(close(s));
    OK(close(l));
    p = OK(ioeventpipe(8));
    for (int way = 0; way < WAYS; way++)
        for (int k = 0; k < 4; k++) {
            to_nobody(way, k & 1 ? IOEVENT_INLINE : 0, k & 2, 5);
            to_nobody(way, k & 1 ? IOEVENT_INLINE : 0, k & 2, 4 << 20);
        }
    return 0;
}
