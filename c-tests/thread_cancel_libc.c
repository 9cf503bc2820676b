/* Calls handed to libc are cancellation points where libc's are: rule 5.3, rule 1.1. */
#include "test.h"

static int fd[2], l, how, cleaned;
static pid_t tid;

static void cleanup(void *unused)
{
    (void)unused;
    SET(cleaned, 1);
}

/* the address sanitizer does not see that a cancelled thread leaves its frames */
__attribute__((no_sanitize("address")))
static void *blocks(void *unused)
{
    char b[4] = "abc";
    struct iovec iov = { b, 4 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    TELL_TID(tid);
    pthread_cleanup_push(cleanup, NULL);
    switch (how) {
    case 0:
        ioevent_read(fd[0], b, 4);
        break;
    case 1:
        ioevent_readv(fd[0], &iov, 1);
        break;
    case 2:
        ioevent_recv(fd[0], b, 4, 0);
        break;
    case 3:
        ioevent_recvmsg(fd[0], &msg, 0);
        break;
    case 4:
        ioevent_accept(l, NULL, NULL);
        break;
    case 5:
        ioevent_write(fd[0], b, 4);
        break;
    }
    pthread_cleanup_pop(0);
    return unused;
}

int main(void)
{
    struct address a;
    int p = OK(ioeventpipe(1));

    unix_pair(fd);
    l = listener(AF_INET, 1, &a);
    fill_up(fd[0]);
    ATTACH(fd[1], p, 1);
    for (how = 0; how < 6; how++) {
        void *result = NULL;
        pthread_t t;

        SET(tid, 0);
        SET(cleaned, 0);
        t = start_thread(blocks, NULL);
        UNTIL_ASLEEP(tid);
        ZERO(pthread_cancel(t));
        ZERO(pthread_join(t, &result));
        CHECK(result == PTHREAD_CANCELED);
        SAME(GET(cleaned), 1);
    }
    return 0;
}
