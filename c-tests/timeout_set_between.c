/*
 * A time limit that is set while a read waits counts for the next read, whatever way the first one went: rule 4.6.
 */
#include "test.h"

int main(void)
{
    struct timespec soon = { 0, 2000000 }, never = { 0, 0 };
    int p = OK(ioeventpipe(4)), fd[2];
    char b[8];

    for (int which = STREAM_UNIX; which < STREAMS; which++) {
        if (!stream_pair(which, fd))
            continue;
        ATTACH(fd[0], p, 1);
        for (int i = 0; i < 4; i++) {
            QUEUED(ioevent_read(fd[0], b, sizeof b));
            GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTTIMEO, &soon), 0);
            OK(write(fd[1], "abc", 3));
            EXPECT(p, 1, 3, 0);
            QUEUED(ioevent_read(fd[0], b, sizeof b));
            EXPECT(p, 1, -1, ETIMEDOUT);
            GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTTIMEO, &never), 0);
            QUEUED(ioevent_read(fd[0], b, sizeof b));
            OK(write(fd[1], "abc", 3));
            EXPECT(p, 1, 3, 0);
        }
        GIVES(ioevent_close(fd[0]), 0);
        OK(close(fd[1]));
    }
    return 0;
}
