/* The command numbers mean nothing to the kernel, and libc does not know the errors: rule 1.2. */
#include "test.h"

static void refused(int fd)
{
    int pipefd = -77;
    void *user = NULL;

    FAILS(fcntl(fd, F_SETIOEVENTPIPE, -1, (void *)NULL), EINVAL);
    FAILS(fcntl(fd, F_GETIOEVENTPIPE, &pipefd, &user), EINVAL);
    SAME(pipefd, -77);
}

static void unknown(int error)
{
    char text[64];

    snprintf(text, sizeof text, "Unknown error %d", error);
    CHECK(strcmp(strerror(error), text) == 0);
}

int main(void)
{
    int fd[2], p = OK(ioeventpipe(1));

    unix_pair(fd);
    refused(fd[0]);
    OK(pipe(fd));
    refused(fd[0]);
    refused(fd[1]);
    refused(OK(open("/", O_RDONLY)));
    refused(OK(open("/dev/null", O_RDWR)));
    refused(p);
    unknown(EIOEVENTFULL);
    unknown(EIOEVENTQUEUED);
    /* they never change once released */
    SAME(F_SETIOEVENTPIPE, 0x494f0001);
    SAME(F_GETIOEVENTPIPE, 0x494f0002);
    SAME(EIOEVENTFULL, 1997);
    SAME(EIOEVENTQUEUED, 1998);
    return 0;
}
