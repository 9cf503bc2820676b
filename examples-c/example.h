/* example.h: what several examples share, and what has nothing to do with ioevent pipes: numbers in arguments, a
 * listening socket, and the signals that end a program. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

/* The number that the text is; -1 if it is none, or not from least to most. */
static inline int number(const char *text, int least, int most)
{
    char *rest;
    errno = 0;
    long n = strtol(text, &rest, 10);
    return errno == 0 && rest != text && *rest == '\0' && n >= least && n <= most ? (int)n : -1;
}

/* A socket bound to a port of 127.0.0.1; a stream socket also listens there. Ends the program if it cannot. */
static inline int open_port(int type, int port)
{
    const struct sockaddr_in here = {
        .sin_family = AF_INET, .sin_port = htons((in_port_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    if (type == SOCK_STREAM) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes); /* its connections inherit this */
    }
    if (fd == -1 || bind(fd, (const struct sockaddr *)&here, sizeof here) == -1 ||
        (type == SOCK_STREAM && listen(fd, SOMAXCONN) == -1))
        err(1, "port %d", port);
    return fd;
}

/* A descriptor that has SIGINT and SIGTERM to read. Called before threads are started, which inherit that the signals
 * are blocked. */
static inline int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd == -1)
        err(1, "signalfd");
    return fd;
}

/* After this error accept is not to be called again at once: it would fail again, until something is given back. Any
 * other, such as ECONNABORTED, is of that one client, who has gone. */
static inline int is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

#endif
