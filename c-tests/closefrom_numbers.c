/*
 * A program closes all descriptors, its pipes with them, and has files of its own on all their numbers then. Whatever
 * it calls on the lost pipes, and with new ones, and whatever time passes: none of its files is closed, read, written,
 * armed or watched: rules 3.7, 5.5.
 */
#include "test_closefrom.h"

/* Calls on the number of a lost pipe, where another file of the program's is. */
static void ask(int p, int fd, int with)
{
    struct ioevent e = { USER(1), 1, 1 };
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_timeout = { 0, 1000000 } };
    struct timespec t = { 0, 1000000 };

    /* a harvest gives what was due, an error or nothing; the next two an error */
    CHECK(ioevent_wait(p, &e, 1, &no_wait) >= 0 || errno == EBADF || errno == EINVAL);
    CHECK(ioevent_wait(p, &e, 1, &t) >= 0 || errno == EBADF || errno == EINVAL);
    CHECK(ioevent_fcntl(fd, F_SETIOEVENTPIPE, p, (void *)NULL) == -1 && (errno == EBADF || errno == EINVAL));
    if (ioevent_submit(&op, 1) == 1)
        CHECK(with & WITH_TIMERS); /* no alarm had to be set: one of those was due earlier */
    else
        CHECK(errno == EBADF || errno == EINVAL);
    (void)ioevent_cancel(p);
    (void)ioevent_cancel2(p, IOEVENT_CANCEL_ALL, NULL);
    (void)ioevent_fcntl(p, F_GETIOEVENTCNT);
    (void)ioevent_fcntl(p, F_SETIOEVENTSZ, 5);
}

enum { ALL, BELOW, ABOVE, NOT_THE_PIPE, WHERES };

static void run(int with, int shift, int where, bool ask_first)
{
    int s[2], p, more[4];

    begin_work(with);
    close_from(3);
    own_shift = shift;
    own_fill(where == ABOVE ? 500 : 3, where == BELOW ? 500 : 700, where == NOT_THE_PIPE ? pipes[0] : -1);
    own_check();
    OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
    for (int i = 0; i < 2; i++) {
        int low = s[i];

        s[i] = OK(fcntl(low, F_DUPFD_CLOEXEC, 1500));
        OK(close(low));
    }
    if (ask_first)
        for (int i = 0; i < npipes; i++)
            if (own[pipes[i]].used)
                ask(pipes[i], s[0], with);
    own_check();
    CHECK(own_cpu(150000000) < 100000000); /* timers of the lost pipes run out */
    own_check();
    if (own[attached_one].used) {
        ATTACHED(attached_one, -1, 0); /* another file has the number now */
        own_check();
    }
    p = OK(ioeventpipe(16));
    own_check();
    pipe_works(p);
    own_check();
    for (int i = 0; i < 4; i++) {
        more[i] = OK(ioeventpipe2(16, i & 1 ? O_NONBLOCK : 0));
        one_timer(more[i], 1, 1000000);
    }
    for (int i = 0; i < 4; i++) {
        EXPECT(more[i], 1, 0, 0);
        if (i == 1)
            pipe_works(more[i]);
        GIVES(ioevent_close(more[i]), 0);
    }
    own_check();
    ATTACH(s[0], p, 1);
    QUEUED(ioevent_read(s[0], lost_buffers[7], 64));
    CHECK(own_cpu(50000000) < 40000000);
    OK(write(s[1], "abc", 3));
    EXPECT(p, 1, 3, 0);
    GIVES(ioevent_close(p), 0);
    own_check();

    /* the program's own files can be attached like any */
    p = OK(ioeventpipe(16));
    for (int n = 3; n < 700; n += 7)
        if (own[n].used && own[n].kind == OWN_SOCKET) {
            ATTACH(n, p, n);
            QUEUED(ioevent_poll(n, POLLIN));
            EXPECT(p, n, POLLIN, 0);
            DETACH(n);
        }
    GIVES(ioevent_close(p), 0);
    own_check();
}

int main(void)
{
    want_numbers();
    for (int shift = 0; shift < OWN_KINDS; shift++) {
        int with = WITH_ALL;

        test_variant = shift;
        IN_CHILD(run(with, shift, ALL, shift & 1));
        with = shift & 1 ? WITH_ALL & ~WITH_MORE_PIPES : WITH_SOCKET | WITH_TIMERS;
        IN_CHILD(run(with, shift, BELOW + shift % 3, !(shift & 1)));
    }
    return 0;
}
