/*
 * The proposal to the letter: the struct, both commands, both errors (rule 1.2), and one read that is queued and
 * completed.
 */
#include "test.h"

int main(void)
{
    int p, fd[2], pipefd = -77;
    void *user = NULL;
    char buffer[16] = "";
    struct ioevent event;

    /* struct ioevent: the user's pointer, the result, the errno, and nothing else */
    SAME(sizeof(struct ioevent), sizeof(void *) + 2 * sizeof(int));
    SAME(offsetof(struct ioevent, ioe_user), 0);
    SAME(offsetof(struct ioevent, ioe_result), sizeof(void *));
    SAME(offsetof(struct ioevent, ioe_errno), sizeof(void *) + sizeof(int));
    SAME(_Alignof(struct ioevent), _Alignof(void *));
    SAME(_Generic(event.ioe_user, void *: 1, default: 0), 1);
    SAME(_Generic(event.ioe_result, int: 1, default: 0), 1);
    SAME(_Generic(event.ioe_errno, int: 1, default: 0), 1);
#ifdef __LP64__
    SAME(sizeof(struct ioevent), 16);
#endif

    /* the errors are outside the kernel's (up to 530) and libc's, and are different */
    CHECK(EIOEVENTFULL > 530 && EIOEVENTFULL < 4096);
    CHECK(EIOEVENTQUEUED > 530 && EIOEVENTQUEUED < 4096);
    CHECK(EIOEVENTFULL != EIOEVENTQUEUED);
    CHECK(F_SETIOEVENTPIPE != F_GETIOEVENTPIPE);

    /* ioeventpipe(nevents) returns a descriptor */
    p = OK(ioeventpipe(2));
    CHECK(p >= 0);
    OK(fcntl(p, F_GETFD));

    /* fcntl(fd, F_SETIOEVENTPIPE, ioeventpipe_fd, user) and back */
    unix_pair(fd);
    GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTPIPE, p, (void *)buffer), 0);
    GIVES(ioevent_fcntl(fd[0], F_GETIOEVENTPIPE, &pipefd, &user), 0);
    SAME(pipefd, p);
    CHECK(user == buffer);

    /* I/O on it is done asynchronously: queued, or the pipe is full */
    QUEUED(ioevent_read(fd[0], buffer, sizeof buffer));
    QUEUED(ioevent_read(fd[0], buffer + 8, 8));
    FAILS(ioevent_read(fd[0], buffer, sizeof buffer), EIOEVENTFULL);
    GIVES(write(fd[1], "hello", 5), 5);

    /* reading the pipe gives the struct: the user's pointer, the result, the errno */
    GIVES(ioevent_read(p, &event, sizeof event), sizeof event);
    CHECK(event.ioe_user == buffer);
    SAME(event.ioe_result, 5);
    SAME(event.ioe_errno, 0);
    CHECK(memcmp(buffer, "hello", 5) == 0);
    GIVES(ioevent_close(fd[0]), 0);
    GIVES(ioevent_close(p), 0);
    return 0;
}
