/*
 * With IOEVENT_POLLONLY ioevent_poll and ioevent_submit are asynchronous as ever, beside the program's own I/O on the
 * descriptor: rule 2.11. cancel, detach and close end what they queued.
 */
#include "test.h"

/* The operation of this kind is taken; more fields may follow. */
#define SUBMIT(kind, fd, user, ...)                                             \
    GIVES(ioevent_submit(&(struct ioevent_op){ .ioo_kind = IOEVENT_OP_##kind, .ioo_fd = fd, .ioo_user = USER(user), \
                                               ##__VA_ARGS__ }, 1), 1)

static int p, fd[2];

static void again(void)
{
    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTFLAGS, IOEVENT_POLLONLY), 0);
}

int main(void)
{
    char a[8], b[8];

    signal(SIGPIPE, SIG_DFL);
    p = OK(ioeventpipe(3));
    again();

    /* the loop of a library that does its own I/O: told when, it reads itself */
    for (int round = 0; round < 50; round++) {
        QUEUED(ioevent_poll(fd[0], POLLIN));
        QUIET(p);
        OK(write(fd[1], "abcd", 4));
        EXPECT(p, 1, POLLIN, 0);
        GIVES(round % 2 ? ioevent_read(fd[0], b, 8) : read(fd[0], b, 8), 4);
        FAILS(ioevent_recv(fd[0], b, 8, MSG_DONTWAIT), EAGAIN);
    }
    QUEUED(ioevent_poll(fd[0], POLLOUT));
    EXPECT(p, 1, POLLOUT, 0);

    /* every kind that is submitted */
    SUBMIT(READ, fd[0], 2, .ioo_buf = a, .ioo_len = 8);
    QUIET(p);
    SUBMIT(POLL, fd[0], 3, .ioo_arg = POLLPRI);
    QUEUED(ioevent_poll(fd[0], POLLPRI));
    FAILS(ioevent_poll(fd[0], POLLIN), EIOEVENTFULL);
    GIVES(ioevent_send(fd[0], "xyz", 3, 0), 3); /* libc's, with the pipe full */
    SAME(drain(fd[1]), 3);
    OK(write(fd[1], "abc", 3));
    EXPECT(p, 2, 3, 0);
    CHECK(memcmp(a, "abc", 3) == 0);
    SUBMIT(SEND, fd[0], 4, .ioo_buf = "defg", .ioo_len = 4);
    EXPECT(p, 4, 4, 0);
    SAME(drain(fd[1]), 4);
    GIVES(ioevent_cancel2(fd[0], IOEVENT_CANCEL_POLL | IOEVENT_CANCEL_USER, USER(3)), 1);
    EXPECT(p, 3, -1, ECANCELED);
    GIVES(ioevent_cancel(fd[0]), 1);
    EXPECT(p, 1, -1, ECANCELED);

    /* with a timeout; and no SIGPIPE from what was submitted */
    GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTTIMEO, &(struct timespec){ 0, 3000000 }), 0);
    QUEUED(ioevent_poll(fd[0], POLLIN));
    EXPECT(p, 1, -1, ETIMEDOUT);
    OK(close(fd[1]));
    SUBMIT(WRITE, fd[0], 5, .ioo_buf = "x", .ioo_len = 1);
    EXPECT(p, 5, -1, EPIPE);
    GIVES(ioevent_close(fd[0]), 0);

    for (int how = 0; how < 2; how++) {
        again();
        QUEUED(ioevent_poll(fd[0], POLLIN));
        SUBMIT(READ, fd[0], 1, .ioo_buf = a, .ioo_len = 8);
        if (how == 0)
            DETACH(fd[0]);
        else
            GIVES(ioevent_close(fd[0]), 0);
        EXPECT(p, 1, -1, ECANCELED);
        EXPECT(p, 1, -1, ECANCELED);
        OK(close(fd[1]));
    }

    /* with both flags a poll that holds at once is direct; what is submitted is not */
    again();
    GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTFLAGS, IOEVENT_POLLONLY | IOEVENT_INLINE), 0);
    GIVES(ioevent_poll(fd[0], POLLOUT), POLLOUT);
    QUEUED(ioevent_poll(fd[0], POLLIN));
    SUBMIT(POLL, fd[0], 6, .ioo_arg = POLLOUT);
    EXPECT(p, 6, POLLOUT, 0);
    OK(write(fd[1], "abc", 3));
    EXPECT(p, 1, POLLIN, 0);
    GIVES(ioevent_read(fd[0], b, 8), 3);
    STAYS_QUIET(p);
    return 0;
}
