/* A program that uses the library: a read that waits, a write, a timer, and their events. With PLAIN_NAMES it calls read,
 * write and fcntl, which libioevent_posix.so makes asynchronous, linked or preloaded. */
#include <errno.h>
#include <fcntl.h>
#include <ioevent.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef PLAIN_NAMES
#define ioevent_fcntl fcntl
#define ioevent_read read
#define ioevent_write write
#endif

static int queued(ssize_t answer) { return answer == -1 && errno == EIOEVENTQUEUED; }

int main(void)
{
    int pair[2], timer, seen = 0, pipe = ioeventpipe(8);
    char buffer[16] = "";
    struct ioevent events[8];
    struct ioevent_op op = {.ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = pipe, .ioo_user = &timer, .ioo_timeout = {.tv_nsec = 1000000}};

    if (pipe == -1 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
        return 2;
    for (int i = 0; i < 2; i++)
        if (ioevent_fcntl(pair[i], F_SETIOEVENTPIPE, pipe, &pair[i]) == -1)
            return 3;
    if (!queued(ioevent_read(pair[0], buffer, sizeof buffer)) || !queued(ioevent_write(pair[1], "forty", 5)) ||
        ioevent_submit(&op, 1) != 1)
        return 4;
    while (seen < 3) {
        int n = ioevent_wait(pipe, events, 8, NULL);
        for (int i = 0; i < n; i++, seen++)
            if (events[i].ioe_result != (events[i].ioe_user == &timer ? 0 : 5) || events[i].ioe_errno != 0)
                return 5;
    }
    printf("libioevent %s, compiled with %s: %s\n", ioevent_version_string(), IOEVENT_VERSION_STRING, buffer);
    return strcmp(buffer, "forty") != 0 || ioevent_version() != IOEVENT_VERSION;
}
