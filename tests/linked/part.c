/* The part in C of a Rust program: a read that waits, and its event. */
#include <errno.h>
#include <ioevent.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Returns 0, or the line of what went wrong. */
#define CHECK(condition)     \
    do {                     \
        if (!(condition))    \
            return __LINE__; \
    } while (0)

int part(void)
{
    int pair[2], user;
    char buffer[8] = "";
    struct ioevent event;
    int pipe = ioeventpipe(1);
    CHECK(pipe >= 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK(ioevent_fcntl(pair[0], F_SETIOEVENTPIPE, pipe, &user) == 0);
    errno = 0;
    CHECK(ioevent_read(pair[0], buffer, sizeof buffer) == -1 && errno == EIOEVENTQUEUED);
    /* Not attached: libc's. */
    CHECK(ioevent_write(pair[1], "part", 4) == 4);
    CHECK(ioevent_wait(pipe, &event, 1, NULL) == 1);
    CHECK(event.ioe_user == &user && event.ioe_result == 4 && event.ioe_errno == 0);
    CHECK(memcmp(buffer, "part", 4) == 0);
    CHECK(ioevent_close(pair[0]) == 0 && close(pair[1]) == 0);
    CHECK(ioevent_close(pipe) == 0);
    return 0;
}
