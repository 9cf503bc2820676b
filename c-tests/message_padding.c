/*
 * The structs of sendmsg and recvmsg may have padding, which a program does not set, and which the kernel may take for
 * a part of a length (musl's have it there); and those that are sent may lie in memory that cannot be written to: rule
 * 2.4.
 */
#include "test.h"

enum { ROOM = CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred)) };

union control { char space[ROOM]; struct cmsghdr align; };

/* What is sent: a page of its own. */
struct page {
    struct msghdr message;
    struct iovec parts[2];
    union control control;
};

static void part(struct cmsghdr *c, int type, const void *data, size_t n)
{
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(n);
    memcpy(CMSG_DATA(c), data, n);
}

static void set(struct msghdr *message, struct iovec *parts, union control *control)
{
    memset(message, 0xff, sizeof *message); /* the padding, too */
    message->msg_name = NULL;
    message->msg_namelen = 0;
    message->msg_iov = parts;
    message->msg_iovlen = 2;
    message->msg_control = control;
    message->msg_controllen = sizeof control->space;
    message->msg_flags = 0;
}

static void run(int type, bool data_first)
{
    int fd[2], pipes[2], got, on = 1, p = OK(ioeventpipe(4)), rights = 0, users = 0;
    struct page *page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct ucred self = { getpid(), getuid(), getgid() };
    union control control;
    struct msghdr message;
    char b[8] = "";
    struct iovec into[2] = { { b, 2 }, { b + 2, 6 } };

    CHECK(page != MAP_FAILED);
    OK(pipe2(pipes, O_CLOEXEC));
    OK(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fd));
    OK(setsockopt(fd[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    page->parts[0] = (struct iovec){ (void *)(uintptr_t)"abc", 3 };
    page->parts[1] = (struct iovec){ (void *)(uintptr_t)"de", 2 };
    set(&page->message, page->parts, &page->control);
    memset(&page->control, 0xff, sizeof page->control);
    part((void *)page->control.space, SCM_RIGHTS, &pipes[1], sizeof pipes[1]);
    part((void *)(page->control.space + CMSG_SPACE(sizeof(int))), SCM_CREDENTIALS, &self, sizeof self);
    OK(mprotect(page, sizeof *page, PROT_READ));
    set(&message, into, &control);
    memset(&control, 0xff, sizeof control);

    ATTACH(fd[0], p, 1);
    ATTACH(fd[1], p, 2);
    if (!data_first) {
        QUEUED(ioevent_recvmsg(fd[0], &message, 0));
        QUIET(p);
    }
    QUEUED(ioevent_sendmsg(fd[1], &page->message, 0));
    if (data_first)
        QUEUED(ioevent_recvmsg(fd[0], &message, 0));
    for (int i = 0; i < 2; i++) {
        struct ioevent e = HARVEST(p);

        SAME(e.ioe_errno, 0);
        SAME(e.ioe_result, 5);
    }
    CHECK(memcmp(b, "abcde", 5) == 0);
    SAME(message.msg_flags, 0);
    SAME(message.msg_iovlen, 2);
    SAME(message.msg_controllen, ROOM);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        SAME(c->cmsg_level, SOL_SOCKET);
        if (c->cmsg_type == SCM_RIGHTS) {
            SAME(c->cmsg_len, CMSG_LEN(sizeof(int)));
            memcpy(&got, CMSG_DATA(c), sizeof got);
            rights++;
        } else {
            SAME(c->cmsg_type, SCM_CREDENTIALS);
            SAME(c->cmsg_len, CMSG_LEN(sizeof(struct ucred)));
            CHECK(memcmp(CMSG_DATA(c), &self, sizeof self) == 0);
            users++;
        }
    }
    SAME(rights, 1);
    SAME(users, 1);
    OK(write(got, "y", 1));
    read_all(pipes[0], b, 1);
    SAME(b[0], 'y');
    OK(close(got));
    OK(close(pipes[0]));
    OK(close(pipes[1]));
    GIVES(ioevent_close(fd[0]), 0);
    GIVES(ioevent_close(fd[1]), 0);
    GIVES(ioevent_close(p), 0);
    OK(munmap(page, sizeof *page));
}

int main(void)
{
    run(SOCK_STREAM, true);
    run(SOCK_STREAM, false);
    run(SOCK_DGRAM, true);
    run(SOCK_DGRAM, false);
    run(SOCK_SEQPACKET, false);
    return 0;
}
