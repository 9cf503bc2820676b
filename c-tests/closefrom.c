/*
 * A program that closes all numbers it knows nothing of (close_range(2)) while it has pipes loses those: they say
 * EBADF. No thread spins, and the next pipe works: rule 5.5, rule 3.7.
 */
#include "test_closefrom.h"

static void run(int with, bool ask_first)
{
    int s[2], p, number;
    void *user;
    char b[8];

    begin_work(with);
    close_from(3);
    if (!ask_first)
        CHECK(own_cpu(300000000) < 100000000); /* the library has not been called since */
    OK(pipe2(s, O_CLOEXEC)); /* it may get numbers that were attached, or pipes; not those below */
    for (int i = 0; i < 2; i++)
        s[i] = OK(fcntl(s[i], F_DUPFD_CLOEXEC, 300));
    close(3);
    close(4);
    if (ask_first)
        for (int i = 0; i < npipes; i++)
            says_ebadf(pipes[i], s[0]);
    CHECK(own_cpu(300000000) < 100000000);

    /* what was attached is not any more: noticed when it is asked for */
    FAILS(ioevent_fcntl(attached_one, F_GETIOEVENTPIPE, &number, &user), EBADF);

    p = OK(ioeventpipe(16)); /* it mostly has the number of the first that was lost */
    for (int i = 0; i < npipes; i++)
        if (!is_open(pipes[i]))
            says_ebadf(pipes[i], s[0]);
    pipe_works(p);
    ATTACH(s[0], p, 1);
    QUEUED(ioevent_read(s[0], b, sizeof b));
    STAYS_QUIET(p);
    CHECK(own_cpu(300000000) < 100000000);
    OK(write(s[1], "abc", 3));
    EXPECT(p, 1, 3, 0);
    GIVES(ioevent_close(p), 0);
    p = OK(ioeventpipe2(16, O_NONBLOCK));
    pipe_works(p);
    GIVES(ioevent_close(p), 0);
    for (int i = 0; i < 8; i++)
        CHECK(is_all(lost_buffers[i], 0, 64));
}

/* More than once: each time all is lost, and anew. */
static void again(int with)
{
    for (int i = 0; i < 4; i++) {
        begin_work(with);
        close_from(3);
    }
    CHECK(own_cpu(300000000) < 100000000);
    pipe_works(OK(ioeventpipe(16)));
}

int main(void)
{
    static const int sets[] = { WITH_SOCKET, WITH_FIFO | WITH_PTY, WITH_SPLICE, WITH_TIMERS, WITH_FILE,
                                WITH_NONBLOCK | WITH_SOCKET, WITH_MORE_PIPES | WITH_TIMERS, WITH_ALL };

    want_numbers();
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        int with = sets[i];

        test_variant = (int)(i & 1);
        IN_CHILD(run(with, i & 1));
    }
    for (int with = WITH_ALL; with; with = with == WITH_ALL ? WITH_SOCKET | WITH_TIMERS : 0)
        IN_CHILD(again(with));
    return 0;
}
