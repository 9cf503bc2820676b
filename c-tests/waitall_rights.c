/*
 * Descriptors that are passed to a recvmsg with MSG_WAITALL are not lost: it ends with the part that they came with, as
 * recvmsg(2) does, and before a later part that brings others: rule 2.4, DIFFERENCES.md.
 */
#include "test.h"

union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr first;
};

static void pass(int fd, const char *data, bool with_descriptor)
{
    union control control;
    struct iovec iov = {(void *)(uintptr_t)data, strlen(data)};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

    memset(&control, 0, sizeof control);
    if (with_descriptor) {
        int stdin_number = 0;
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        control.first.cmsg_level = SOL_SOCKET;
        control.first.cmsg_type = SCM_RIGHTS;
        control.first.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.first), &stdin_number, sizeof(int));
    }
    GIVES(sendmsg(fd, &message, 0), (ssize_t)strlen(data));
}

/* Takes a message of up to ten bytes; so many have come, and a descriptor or none. */
static void take(int p, int fd, bool before, int pair1, const char *const *parts, int n, ssize_t bytes, bool descriptor,
                 const bool *with)
{
    static char b[10];
    static union control control;
    static struct iovec iov;
    static struct msghdr message;

    iov = (struct iovec){b, sizeof b};
    message = (struct msghdr){
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    if (!before)
        QUEUED(ioevent_recvmsg(fd, &message, MSG_WAITALL));
    for (int i = 0; i < n; i++)
        pass(pair1, parts[i], with[i]);
    if (before)
        QUEUED(ioevent_recvmsg(fd, &message, MSG_WAITALL));
    EXPECT(p, 1, (int)bytes, 0);
    SAME(message.msg_controllen > 0, descriptor);
    if (descriptor) {
        int passed;
        memcpy(&passed, CMSG_DATA(&control.first), sizeof passed);
        OK(close(passed));
    }
}

int main(void)
{
    int p = OK(ioeventpipe(8)), pair[2];
    static const char *const halves[] = {"abcde", "fghij"};
    static const bool first[] = {true, false}, both[] = {true, true}, none[] = {false, false};

    unix_pair(pair);
    ATTACH(pair[0], p, 1);
    for (int before = 0; before < 2; before++) {
        take(p, pair[0], before, pair[1], halves, 2, 10, false, none);
        take(p, pair[0], before, pair[1], halves, 2, 5, true, first);
        take(p, pair[0], true, pair[1], halves, 1, 10, false, none);
        take(p, pair[0], before, pair[1], halves, 2, 5, true, both);
        take(p, pair[0], true, pair[1], halves, 0, 5, true, none);
    }
    GIVES(ioevent_close(pair[0]), 0);
    OK(close(pair[1]));
    GIVES(ioevent_close(p), 0);
    return 0;
}
