/*
 * After fork the child has no pipes and its descriptors are not attached; the numbers of the pipes stay taken by dead,
 * close-on-exec descriptors, so that closing them there closes nothing else: rule 5.2. The child can have pipes of its
 * own.
 */
#include "test.h"

int main(void)
{
    int p = OK(ioeventpipe(8)), p2 = OK(ioeventpipe2(8, O_NONBLOCK)), fd[2], listening, before;
    struct address a;
    char b[8], c[8];
    pid_t pid;

    unix_pair(fd);
    listening = listener(AF_INET, 2, &a);
    ATTACH(fd[0], p, 1);
    ATTACH(listening, p2, 2);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    QUEUED(ioevent_accept(listening, NULL, NULL));
    GIVES(ioevent_write(p, &(struct ioevent){ USER(9), 9, 9 }, sizeof(struct ioevent)), sizeof(struct ioevent));
    before = count_fds();
    if (child(&pid)) {
        int pipes[2] = { p, p2 }, x[2], q;
        struct ioevent e = { 0 };

        CHECK(count_fds() <= before);
        for (int i = 0; i < 2; i++) {
            CHECK(fcntl(pipes[i], F_GETFD) == FD_CLOEXEC);
            CHECK(ioevent_wait(pipes[i], &e, 1, &no_wait) == -1 && (errno == EBADF || errno == EINVAL));
            CHECK(ioevent_wait(pipes[i], &e, 1, NULL) == -1 && (errno == EBADF || errno == EINVAL));
            CHECK(ioevent_read(pipes[i], &e, sizeof e) == -1 && (errno == EBADF || errno == EINVAL));
            CHECK(ioevent_write(pipes[i], &e, sizeof e) == -1 && (errno == EBADF || errno == EINVAL));
            CHECK(ioevent_fcntl(fd[1], F_SETIOEVENTPIPE, pipes[i], (void *)NULL) == -1
                  && (errno == EBADF || errno == EINVAL));
        }
        ATTACHED(fd[0], -1, 0);
        ATTACHED(listening, -1, 0);
        FAILS(ioevent_cancel(fd[0]), EINVAL);
        /* libc's calls again */
        FAILS(ioevent_recv(fd[0], c, 8, MSG_DONTWAIT), EAGAIN);
        GIVES(ioevent_write(fd[0], "child", 5), 5);
        DETACH(fd[0]);

        /* pipes of its own, on the same descriptors too */
        q = OK(ioeventpipe(4));
        CHECK(q != p && q != p2);
        unix_pair(x);
        ATTACH(x[0], q, 5);
        QUEUED(ioevent_read(x[0], c, sizeof c));
        QUIET(q);
        OK(write(x[1], "abc", 3));
        EXPECT(q, 5, 3, 0);
        ATTACH(fd[0], q, 6);
        QUEUED(ioevent_poll(fd[0], POLLOUT));
        EXPECT(q, 6, POLLOUT, 0);
        GIVES(ioevent_close(fd[0]), 0);
        for (int i = 0; i < 2; i++) {
            GIVES(ioevent_close(pipes[i]), 0);
            FAILS(fcntl(pipes[i], F_GETFD), EBADF);
        }
        GIVES(ioevent_close(q), 0);
        STAYS_QUIET(OK(ioeventpipe(1)));
        _exit(0);
    }
    CHILD_PASSED(pid);

    /* the parent noticed nothing */
    EXPECT(p, 9, 9, 9);
    QUIET(p);
    read_all(fd[1], c, 5);
    CHECK(memcmp(c, "child", 5) == 0);
    OK(write(fd[1], "abc", 3));
    EXPECT(p, 1, 3, 0);
    CHECK(memcmp(b, "abc", 3) == 0);
    ATTACHED(fd[0], p, 1);
    ATTACHED(listening, p2, 2);
    return 0;
}
