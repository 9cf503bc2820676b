/* The same holds however the memory was copied: _Fork and clone: from the first call on: rule 5.2. */
#include "test.h"

static int p, fd[2];

int main(void)
{
    char b[8], c[8];

    p = OK(ioeventpipe(8));
    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    for (int how = 0; how < FORK_WAYS; how++)
        for (int first = 0; first < 8; first++) {
            pid_t pid;

            QUEUED(ioevent_read(fd[0], b, sizeof b));
            QUIET(p);
            pid = fork_by(how);
            if (pid == 0) {
                struct ioevent e;
                int q;

                alarm((unsigned)test_timeout() / 2 + 1);
                switch (first) { /* the first call of the child */
                case 0:
                    FAILS(ioevent_recv(fd[0], c, 8, MSG_DONTWAIT), EAGAIN);
                    break;
                case 1:
                    CHECK(ioevent_wait(p, &e, 1, NULL) == -1 && (errno == EBADF || errno == EINVAL));
                    break;
                case 2:
                    ATTACHED(fd[0], -1, 0);
                    break;
                case 3:
                    FAILS(ioevent_cancel(fd[0]), EINVAL);
                    break;
                case 4:
                    GIVES(ioevent_close(fd[0]), 0);
                    break;
                case 6: /* the parent's flag stays as it is */
                    FAILS(ioevent_fcntl(p, F_SETFL, O_NONBLOCK), EBADF);
                    break;
                case 7: /* what the child has made of the number before is its own */
                    OK(dup2(fd[0], p));
                    GIVES(ioevent_read(-1, c, 1), -1);
                    OK(fcntl(p, F_GETFL));
                    GIVES(ioevent_send(p, "own", 3, MSG_DONTWAIT), 3);
                    GIVES(ioevent_recv(fd[1], c, 3, 0), 3);
                    _exit(0);
                case 5:
                    GIVES(ioevent_close(p), 0);
                    FAILS(fcntl(p, F_GETFD), EBADF);
                    break;
                }
                if (first != 5) {
                    CHECK((OK(fcntl(p, F_GETFL)) & O_PATH) != 0 && OK(fcntl(p, F_GETFD)) == FD_CLOEXEC);
                    FAILS(ioevent_pread(p, c, 1, 0), EBADF);
                }
                q = OK(ioeventpipe(4));
                ATTACH(fd[1], q, 5);
                QUEUED(ioevent_poll(fd[1], POLLOUT));
                EXPECT(q, 5, POLLOUT, 0);
                _exit(0);
            }
            CHILD_PASSED(pid);
            QUIET(p);
            ATTACHED(fd[0], p, 1);
            CHECK((OK(fcntl(p, F_GETFL)) & O_NONBLOCK) == 0);
            OK(write(fd[1], "abc", 3));
            EXPECT(p, 1, 3, 0);
        }
    return 0;
}
