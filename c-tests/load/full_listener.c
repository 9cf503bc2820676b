/*
 * full_listener: listens on a port of 127.0.0.1 and never accepts; its queue is full, so whoever connects next gets no
 * answer, neither yes nor no. Prints the port, and ends when its standard input does. Exit status 77: the queue does
 * not become full here.
 */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof here;
    int fd = socket(AF_INET, SOCK_STREAM, 0), full = 0;
    char c;

    if (bind(fd, (struct sockaddr *)&here, length) || listen(fd, 0) || getsockname(fd, (struct sockaddr *)&here, &length))
        return perror("full_listener"), 1;
    for (int i = 0; i < 8 && !full; i++) {
        struct pollfd p = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), .events = POLLOUT };

        connect(p.fd, (struct sockaddr *)&here, sizeof here);
        full = poll(&p, 1, 500) == 0; /* over loopback an answer takes no such time */
    }
    if (!full)
        return 77;
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);
    while (read(0, &c, 1) > 0)
        ;
    return 0;
}
