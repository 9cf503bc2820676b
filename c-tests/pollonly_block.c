/*
 * With IOEVENT_POLLONLY a call blocks as libc's does: until there is data, room or a connection, or a signal; and
 * SIGPIPE is libc's: rule 2.11.
 */
#include "test.h"

static int p, fd[2], l, handled, done;
static pid_t tid;
static struct address a;

static void on_signal(int sig)
{
    (void)sig;
    ADD(handled, 1);
}

static void *reader(void *unused)
{
    char b[8];

    TELL_TID(tid);
    GIVES(ioevent_read(fd[0], b, 8), 3);
    CHECK(memcmp(b, "abc", 3) == 0);
    SET(done, 1);
    return unused;
}

static void *writer(void *unused)
{
    TELL_TID(tid);
    GIVES(ioevent_write(fd[0], "x", 1), 1);
    SET(done, 1);
    return unused;
}

static void *accepter(void *unused)
{
    TELL_TID(tid);
    OK(close(OK(ioevent_accept(l, NULL, NULL))));
    SET(done, 1);
    return unused;
}

static void *interrupted(void *unused)
{
    char b[8];

    TELL_TID(tid);
    FAILS(ioevent_read(fd[0], b, 8), EINTR);
    SET(done, 1);
    return unused;
}

/* It sleeps in its call, and does so until the program does what it waits for. */
static pthread_t blocks(void *(*f)(void *))
{
    pthread_t t;

    SET(tid, 0);
    SET(done, 0);
    t = start_thread(f, NULL);
    UNTIL_ASLEEP(tid);
    STAYS_QUIET(p);
    SAME(GET(done), 0);
    return t;
}

int main(void)
{
    struct sigaction action = { .sa_handler = on_signal };
    pthread_t t;
    size_t n;

    p = OK(ioeventpipe(4));
    unix_pair(fd);
    l = listener(AF_UNIX, 1, &a);
    ATTACH(fd[0], p, 1);
    ATTACH(l, p, 2);
    GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTFLAGS, IOEVENT_POLLONLY), 0);
    GIVES(ioevent_fcntl(l, F_SETIOEVENTFLAGS, IOEVENT_POLLONLY | IOEVENT_INLINE), 0);

    t = blocks(reader);
    OK(write(fd[1], "abc", 3));
    ZERO(pthread_join(t, NULL));

    t = blocks(accepter);
    OK(connect(OK(socket(AF_UNIX, SOCK_STREAM, 0)), SOCKADDR(&a), a.length));
    ZERO(pthread_join(t, NULL));

    n = fill_up(fd[0]);
    t = blocks(writer);
    for (size_t got = 0; got < n + 1;)
        got += drain(fd[1]);
    ZERO(pthread_join(t, NULL));

    OK(sigaction(SIGUSR1, &action, NULL));
    t = blocks(interrupted);
    UNTIL((pthread_kill(t, SIGUSR1), GET(done)));
    ZERO(pthread_join(t, NULL));

    SET(handled, 0);
    OK(sigaction(SIGPIPE, &action, NULL));
    OK(close(fd[1]));
    FAILS(ioevent_write(fd[0], "x", 1), EPIPE);
    SAME(handled, 1);
    FAILS(ioevent_send(fd[0], "x", 1, 0), EPIPE);
    SAME(handled, 2);
    FAILS(ioevent_send(fd[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    SAME(handled, 2);
    STAYS_QUIET(p);
    return 0;
}
