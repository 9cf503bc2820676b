/*
 * The capacity of a pipe can be asked for and changed, but not below the places taken; these are those of operations
 * outstanding and events posted: rule 3.1, rule 3.8. The numbers: rule 1.2.
 */
#include "test.h"

int main(void)
{
    int p = OK(ioeventpipe(3)), fd[2];
    struct ioevent e = { USER(9), 1, 2 };
    char b[4];

    GIVES(ioevent_fcntl(p, F_GETIOEVENTSZ), 3);
    GIVES(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
    FAILS(fcntl(p, F_GETIOEVENTSZ), EINVAL);
    FAILS(fcntl(p, F_GETIOEVENTCNT), EINVAL);
    FAILS(fcntl(p, F_SETIOEVENTSZ, 4), EINVAL);

    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    GIVES(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    GIVES(ioevent_fcntl(p, F_GETIOEVENTCNT), 1);
    GIVES(ioevent_write(p, &e, sizeof e), (ssize_t)sizeof e);
    GIVES(ioevent_fcntl(p, F_GETIOEVENTCNT), 2);

    FAILS(ioevent_fcntl(p, F_SETIOEVENTSZ, 1), EBUSY);
    FAILS(ioevent_fcntl(p, F_SETIOEVENTSZ, 0), EINVAL);
    FAILS(ioevent_fcntl(p, F_SETIOEVENTSZ, -1), EINVAL);
    GIVES(ioevent_fcntl(p, F_GETIOEVENTSZ), 3);
    GIVES(ioevent_fcntl(p, F_SETIOEVENTSZ, 2), 2);
    FAILS(ioevent_read(fd[0], b, sizeof b), EIOEVENTFULL);
    GIVES(ioevent_fcntl(p, F_SETIOEVENTSZ, 4), 4);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    GIVES(ioevent_write(p, &e, sizeof e), (ssize_t)sizeof e);
    FAILS(ioevent_write(p, &e, sizeof e), EIOEVENTFULL);
    GIVES(ioevent_fcntl(p, F_GETIOEVENTCNT), 4);

    EXPECT(p, 9, 1, 2);
    EXPECT(p, 9, 1, 2);
    GIVES(ioevent_fcntl(p, F_GETIOEVENTCNT), 2);
    GIVES(ioevent_cancel(fd[0]), 2);
    GIVES(ioevent_fcntl(p, F_GETIOEVENTCNT), 2); /* until their events have been read */
    EXPECT(p, 1, -1, ECANCELED);
    EXPECT(p, 1, -1, ECANCELED);
    GIVES(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
    GIVES(ioevent_fcntl(p, F_SETIOEVENTSZ, 1), 1);
    GIVES(ioevent_fcntl(p, F_SETIOEVENTSZ, 0x7fffffff), 0x7fffffff);
    GIVES(ioevent_fcntl(p, F_GETIOEVENTSZ), 0x7fffffff);

    FAILS(ioevent_fcntl(fd[0], F_GETIOEVENTSZ), EINVAL);
    FAILS(ioevent_fcntl(fd[1], F_GETIOEVENTCNT), EINVAL);
    FAILS(ioevent_fcntl(fd[1], F_SETIOEVENTSZ, 4), EINVAL);
    FAILS(ioevent_fcntl(-1, F_GETIOEVENTSZ), EBADF);
    GIVES(ioevent_close(p), 0);
    FAILS(ioevent_fcntl(p, F_GETIOEVENTCNT), EBADF);
    return 0;
}
