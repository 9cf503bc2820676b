/*
 * A recv with MSG_PEEK and MSG_WAITALL waits although there are data. When it is ended early, the next read gets them;
 * the same when it is refused by a full pipe: rule 4.7, rule 2.4, rule 2.8.
 */
#include "test.h"

int main(void)
{
    struct timespec soon = { 0, 1000000 };
    int p = OK(ioeventpipe(2)), fd[2];
    char b[16];

    for (int which = STREAM_TCP4; which <= STREAM_TCP6; which++) {
        if (!stream_pair(which, fd))
            continue;
        ATTACH(fd[0], p, 1);
        for (int how = 0; how < 3; how++) {
            OK(write(fd[1], "abcde", 5));
            if (how == 0) {
                QUEUED(ioevent_recv(fd[0], b, 10, MSG_PEEK | MSG_WAITALL));
                GIVES(ioevent_cancel(fd[0]), 1);
                EXPECT(p, 1, -1, ECANCELED);
            } else if (how == 1) {
                GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTTIMEO, &soon), 0);
                QUEUED(ioevent_recv(fd[0], b, 10, MSG_PEEK | MSG_WAITALL));
                EXPECT(p, 1, -1, ETIMEDOUT);
                soon.tv_nsec = 0;
                GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTTIMEO, &soon), 0);
            } else {
                QUEUED(ioevent_poll(fd[0], POLLPRI));
                QUEUED(ioevent_poll(fd[0], POLLPRI));
                GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
                FAILS(ioevent_recv(fd[0], b, 10, MSG_PEEK | MSG_WAITALL), EIOEVENTFULL);
                GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTFLAGS, 0), 0);
                GIVES(ioevent_cancel(fd[0]), 2);
                EXPECT(p, 1, -1, ECANCELED);
                EXPECT(p, 1, -1, ECANCELED);
            }
            QUEUED(ioevent_read(fd[0], b, sizeof b));
            EXPECT(p, 1, 5, 0);
        }
        GIVES(ioevent_close(fd[0]), 0);
        OK(close(fd[1]));
        soon.tv_nsec = 1000000;
    }
    return 0;
}
