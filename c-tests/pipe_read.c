/*
 * Reading a pipe gives whole structs, as many as fit and are there; it blocks until there is one, O_NONBLOCK makes
 * that EAGAIN, and a buffer smaller than one struct is EINVAL: rule 3.2.
 */
#include "test.h"

enum { S = sizeof(struct ioevent) };

static int p, fd[2];
static pid_t tid;

static void *reader(void *unused)
{
    struct ioevent e;

    TELL_TID(tid);
    GIVES(ioevent_read(p, &e, sizeof e), S);
    CHECK(e.ioe_user == USER(7));
    SAME(e.ioe_result, 3);
    SAME(e.ioe_errno, 0);
    return unused;
}

int main(void)
{
    union { struct ioevent e[4]; char bytes[4 * S]; } b;
    struct ioevent post[4] = { { USER(1), 10, 0 }, { USER(2), 20, 5 }, { USER(3), -1, 7 }, { USER(4), 40, 0 } };
    char x[8];
    pthread_t t;

    p = OK(ioeventpipe(8));
    GIVES(fcntl(p, F_GETFD), 0);
    GIVES(ioevent_write(p, post, sizeof post), sizeof post);
    for (size_t n = 0; n < S; n++)
        FAILS(ioevent_read(p, &b, n), EINVAL);
    memset(&b, 0xee, sizeof b);
    GIVES(ioevent_read(p, &b, S + S - 1), S); /* one and nearly another */
    CHECK(memcmp(&b.e[0], &post[0], S) == 0);
    CHECK(is_all(b.bytes + S, 0xee, 3 * S));
    GIVES(ioevent_read(p, &b, 2 * S), 2 * S);
    CHECK(memcmp(&b, &post[1], 2 * S) == 0);
    GIVES(ioevent_read(p, &b, sizeof b), S); /* less is there than fits */
    CHECK(memcmp(&b, &post[3], S) == 0);

    /* it blocks: until an operation completes, until an event is posted */
    unix_pair(fd);
    ATTACH(fd[0], p, 7);
    QUEUED(ioevent_read(fd[0], x, sizeof x));
    t = start_thread(reader, NULL);
    UNTIL_ASLEEP(tid);
    OK(write(fd[1], "abc", 3));
    ZERO(pthread_join(t, NULL));
    SET(tid, 0);
    t = start_thread(reader, NULL);
    UNTIL_ASLEEP(tid);
    GIVES(ioevent_write(p, &(struct ioevent){ USER(7), 3, 0 }, S), S);
    ZERO(pthread_join(t, NULL));

    /* O_NONBLOCK, set and cleared */
    GIVES(ioevent_fcntl(p, F_GETFL) & O_NONBLOCK, 0);
    GIVES(ioevent_fcntl(p, F_SETFL, O_NONBLOCK), 0);
    GIVES(ioevent_fcntl(p, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    FAILS(ioevent_read(p, &b, sizeof b), EAGAIN);
    FAILS(ioevent_read(p, &b, S - 1), EINVAL);
    QUEUED(ioevent_read(fd[0], x, sizeof x));
    FAILS(ioevent_read(p, &b, sizeof b), EAGAIN);
    OK(write(fd[1], "de", 2));
    GIVES(ioevent_read(p, &b, sizeof b), S); /* it looks for itself */
    SAME(b.e[0].ioe_result, 2);
    FAILS(ioevent_read(p, &b, sizeof b), EAGAIN);
    GIVES(ioevent_fcntl(p, F_SETFL, 0), 0);
    GIVES(ioevent_fcntl(p, F_GETFL) & O_NONBLOCK, 0);
    SET(tid, 0);
    t = start_thread(reader, NULL);
    UNTIL_ASLEEP(tid);
    GIVES(ioevent_write(p, &(struct ioevent){ USER(7), 3, 0 }, S), S);
    ZERO(pthread_join(t, NULL));
    GIVES(ioevent_close(p), 0);

    /* ioeventpipe2 */
    p = OK(ioeventpipe2(8, O_NONBLOCK));
    GIVES(ioevent_fcntl(p, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    FAILS(ioevent_read(p, &b, sizeof b), EAGAIN);
    GIVES(fcntl(p, F_GETFD), 0);
    GIVES(ioevent_close(p), 0);
    p = OK(ioeventpipe2(8, O_NONBLOCK | O_CLOEXEC));
    FAILS(ioevent_read(p, &b, sizeof b), EAGAIN);
    GIVES(fcntl(p, F_GETFD), FD_CLOEXEC);
    GIVES(ioevent_close(p), 0);
    p = OK(ioeventpipe2(8, O_CLOEXEC));
    GIVES(ioevent_fcntl(p, F_GETFD), FD_CLOEXEC);
    GIVES(ioevent_fcntl(p, F_SETFD, 0), 0);
    GIVES(fcntl(p, F_GETFD), 0);
    SET(tid, 0);
    t = start_thread(reader, NULL);
    UNTIL_ASLEEP(tid);
    GIVES(ioevent_write(p, &(struct ioevent){ USER(7), 3, 0 }, S), S);
    ZERO(pthread_join(t, NULL));
    GIVES(ioevent_close(p), 0);
    return 0;
}
