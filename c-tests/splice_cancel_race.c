/*
 * A splice or sendfile that is ended while the library may just be trying it: whether cancel counts it or not, it
 * does not go on waiting; a timeout, detaching and closing end it too. Exactly one event each: rule 4.7, rule 4.8,
 * rule 4.6, rule 4.3, rule 2.2.
 */
#include "test_file.h"

enum { ROUNDS = 60 };
enum { CANCEL, TIMEOUT, DETACHED, CLOSED, PIPE_CLOSED, HOWS };

static int in[2], out[2], file, full;

static void queue(int what, int fd)
{
    switch (what) {
    case 0: QUEUED(ioevent_splice(in[0], NULL, fd, NULL, 10, 0)); break;     /* an empty pipe into a file */
    case 1: QUEUED(ioevent_splice(fd, NULL, full, NULL, 10, 0)); break;      /* a file into a full pipe */
    case 2: QUEUED(ioevent_sendfile(fd, file, NULL, 10)); break;             /* a file into a full pipe */
    case 3: QUEUED(ioevent_sendfile(full, fd, NULL, 10)); break;
    }
}

static void run(int what, int how, int round)
{
    int p = OK(ioeventpipe(4)), fd = OK(dup(what == 2 ? full : file)), n = 0;
    struct timespec soon = { 0, 1000 };

    ATTACH(fd, p, 1);
    if (how == TIMEOUT)
        GIVES(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &soon), 0);
    queue(what, fd);
    for (long long until = now_ns() + round % 16 * 3000; now_ns() < until;)
        ;
    switch (how) {
    case CANCEL: n = OK(ioevent_cancel(fd)); break;
    case DETACHED: DETACH(fd); break;
    case CLOSED: GIVES(ioevent_close(fd), 0); break;
    }
    if (how == PIPE_CLOSED) {
        GIVES(ioevent_close(p), 0);
        OK(close(fd));
        return;
    }
    CHECK(n == 0 || n == 1);
    EXPECT(p, 1, -1, how == TIMEOUT ? ETIMEDOUT : ECANCELED);
    QUIET(p);
    if (how != CLOSED)
        GIVES(ioevent_close(fd), 0);
    QUIET(p);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    int rounds = on_valgrind() ? 10 : ROUNDS;

    OK(pipe2(in, O_CLOEXEC));
    OK(pipe2(out, O_CLOEXEC));
    full = out[1];
    fill_up(full);
    file = disk_file();
    fill_file(file, 1000);
    for (int i = 0; i < rounds; i++)
        for (int what = 0; what < 4; what++)
            for (int how = CANCEL; how < HOWS; how++)
                run(what, how, i);
    SAME(position(file), 0);
    return 0;
}
