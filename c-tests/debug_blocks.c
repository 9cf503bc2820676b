/*
 * IOEVENT_DEBUG names a call of an ioevent_ name that has waited for a second on a descriptor that is not attached,
 * while there are pipes; none that is over, or whose thread is: ioevent_debug(7), rule 7.4.
 */
#include "test.h"
#include "test_debug.h"

static int fd[2];
static pid_t tid;

static void *reads(void *from)
{
    char c;

    TELL_TID(tid);
    GIVES(ioevent_read(*(int *)from, &c, 1), 1);
    return NULL;
}

static void *accepts(void *unused)
{
    (void)unused;
    FAILS(ioevent_accept4(fd[0], NULL, NULL, SOCK_CLOEXEC), EINVAL);
    return NULL;
}

static void *sends(void *unused)
{
    static char out[1 << 20];

    (void)unused;
    CHECK(ioevent_sendto(fd[0], out, sizeof out, MSG_NOSIGNAL, NULL, 0) < (ssize_t)sizeof out);
    return NULL;
}

static void reading(void)
{
    int p = OK(ioeventpipe(1));
    pthread_t thread;

    OK(pipe(fd));
    fd[0] = debug_number(fd[0]);
    thread = start_thread(reads, &fd[0]);
    until_reported();
    OK(write(fd[1], "x", 1));
    ZERO(pthread_join(thread, NULL));
    OK(ioevent_close(p));
}

static void accepting(void)
{
    int p = OK(ioeventpipe(1));
    pthread_t thread;

    fd[0] = debug_number(OK(socket(AF_INET, SOCK_STREAM, 0)));
    OK(listen(fd[0], 1));
    thread = start_thread(accepts, NULL);
    until_reported();
    OK(shutdown(fd[0], SHUT_RDWR));
    ZERO(pthread_join(thread, NULL));
    OK(ioevent_close(p));
}

/* A send that waits; a read that was cancelled before leaves nothing behind. */
static void sending(void)
{
    int p = OK(ioeventpipe(1)), other[2];
    pthread_t thread;
    void *end;

    OK(pipe(fd));
    thread = start_thread(reads, &fd[0]);
    UNTIL_ASLEEP(tid);
    ZERO(pthread_cancel(thread));
    ZERO(pthread_join(thread, &end));
    CHECK(end == PTHREAD_CANCELED);
    unix_pair(other);
    fd[0] = debug_number(other[0]);
    thread = start_thread(sends, NULL);
    until_reported();
    OK(close(other[1]));
    ZERO(pthread_join(thread, NULL));
    OK(ioevent_close(p));
}

/* On a descriptor that is attached, or was detached, the program waits on purpose: it does so for longer here than in a
 * read that is reported. */
static void attached(void)
{
    int p = OK(ioeventpipe(1)), own[2], former[2];
    pthread_t thread, other;

    unix_pair(own);
    ATTACH(own[0], p, 0);
    OK(ioevent_fcntl(own[0], F_SETIOEVENTFLAGS, IOEVENT_POLLONLY));
    thread = start_thread(reads, &own[0]);
    UNTIL_ASLEEP(tid);
    unix_pair(former);
    ATTACH(former[0], p, 0);
    DETACH(former[0]);
    SET(tid, 0);
    other = start_thread(reads, &former[0]);
    UNTIL_ASLEEP(tid);
    reading();
    OK(write(own[1], "x", 1));
    OK(write(former[1], "x", 1));
    ZERO(pthread_join(thread, NULL));
    ZERO(pthread_join(other, NULL));
    OK(ioevent_close(own[0]));
    OK(ioevent_close(p));
}

/* A call by these names before the first pipe, when nothing was looked for, changes nothing. */
static void early(void)
{
    char c = 'x';
    int own[2];

    OK(pipe(own));
    SAME(ioevent_write(own[1], &c, 1), 1);
    SAME(ioevent_read(own[0], &c, 1), 1);
    reading();
}

int main(void)
{
    SAID("1", early, 1, "ioevent: ioevent_read of descriptor 77 has waited for a second");
    SAID("1", reading, 1, "ioevent: ioevent_read of descriptor 77 has waited for a second");
    SAID("1", accepting, 1, "ioevent: ioevent_accept of descriptor 77 has waited for a second");
    SAID("1", sending, 1, "ioevent: ioevent_send of descriptor 77 has waited for a second");
    SAID("1", attached, 1, "ioevent: ioevent_read of descriptor 77 has waited for a second");
    return 0;
}
