/*
 * A program closes only a part of the descriptors: those of the library but not the pipes' own, or the other way round.
 * Its pipes are lost or they work; they do not spin, do not hang, and touch nothing else: rules 3.2, 5.5.
 */
#include "test_closefrom.h"

/* A harvest of what may be lost: it ends at its time limit, or with events, or with EBADF. */
static void harvest_ends(int p)
{
    struct ioevent e[8];
    struct timespec t = { 0, 20000000 };
    int n = ioevent_wait(p, e, 8, &t);

    CHECK(n >= 0 || errno == EBADF || errno == EINVAL);
}

static void run(int with, unsigned from, unsigned to, int shift)
{
    int fresh, s[2];
    char b[8];

    begin_work(with);
    if (syscall(SYS_close_range, from, to, 0) == -1)
        for (unsigned n = from; n <= to && n < 65536; n++)
            close((int)n);
    own_shift = shift;
    own_fill((int)from > 100 ? 100 : (int)from, (int)from > 100 ? 700 : (int)to, -1);
    CHECK(own_cpu(200000000) < 100000000);
    own_check();
    for (int i = 0; i < npipes; i++)
        if (!own[pipes[i]].used) {
            harvest_ends(pipes[i]);
            own_check();
        }
    OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
    fresh = OK(ioeventpipe(16));
    own_check();
    pipe_works(fresh);
    own_check();
    ATTACH(s[0], fresh, 1);
    QUEUED(ioevent_read(s[0], b, sizeof b));
    for (int i = 0; i < npipes; i++)
        if (!own[pipes[i]].used) {
            CHECK(ioevent_close(pipes[i]) == 0 || errno == EBADF);
            own_check();
        }
    CHECK(own_cpu(100000000) < 80000000);
    OK(write(s[1], "abc", 3));
    EXPECT(fresh, 1, 3, 0);
    GIVES(ioevent_close(fresh), 0);
    pipe_works(OK(ioeventpipe(16)));
    own_check();
}

int main(void)
{
    static const unsigned froms[] = { 100, 512, 513, 514, 515 };

    want_numbers();
    for (int shift = 0; shift < OWN_KINDS; shift++) {
        int with = shift & 1 ? WITH_ALL : WITH_SOCKET | WITH_TIMERS;
        unsigned from = froms[shift % 5];

        test_variant = shift;
        IN_CHILD(run(with, from, ~0u, shift));
        IN_CHILD(run(with, 3, 400, shift)); /* the program's and the pipes' */
        with = WITH_ALL & ~WITH_MORE_PIPES;
        IN_CHILD(run(with, from, from, shift)); /* a single one */
    }
    return 0;
}
