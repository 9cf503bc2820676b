/*
 * Sockets and other byte streams, in connected pairs.
 */
#ifndef TEST_STREAM_H
#define TEST_STREAM_H

#include "test_check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static inline void set_nonblock(int fd, bool on)
{
    int flags = OK(fcntl(fd, F_GETFL));

    OK(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}

static inline void unix_pair(int fd[2])
{
    OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd));
}

struct address {
    struct sockaddr_storage storage;
    socklen_t length;
};

#define SOCKADDR(a) ((struct sockaddr *)&(a)->storage)

/* A socket bound to a loopback address with a port of its own; -1 if there is no such family here. */
static inline int bound_socket(int family, int type, struct address *address)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&address->storage;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address->storage;
    int s = socket(family, type | SOCK_CLOEXEC, 0);

    if (s == -1 && errno == EAFNOSUPPORT)
        return -1;
    OK(s);
    memset(address, 0, sizeof *address);
    if (family == AF_INET6) {
        in6->sin6_family = AF_INET6;
        in6->sin6_addr = in6addr_loopback;
        address->length = sizeof *in6;
    } else if (family == AF_INET) {
        in->sin_family = AF_INET;
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address->length = sizeof *in;
    } else { /* AF_UNIX: a name the kernel chooses */
        address->storage.ss_family = AF_UNIX;
        address->length = sizeof(sa_family_t);
    }
    if (bind(s, SOCKADDR(address), address->length) == -1) {
        CHECK(family == AF_INET6 && (errno == EADDRNOTAVAIL || errno == EACCES || errno == EPERM));
        close(s);
        return -1;
    }
    address->length = sizeof address->storage;
    OK(getsockname(s, SOCKADDR(address), &address->length));
    return s;
}

static inline int listener(int family, int backlog, struct address *address)
{
    int s = bound_socket(family, SOCK_STREAM, address);

    if (s >= 0)
        OK(listen(s, backlog));
    return s;
}

/* Whether what was accepted is the other end: another program on this machine may connect to a port that was its own
 * a moment ago, to see that it is refused. */
static inline bool is_pair(const int fd[2])
{
    struct address own = { .length = sizeof own.storage }, peer = { .length = sizeof peer.storage };

    OK(getsockname(fd[0], SOCKADDR(&own), &own.length));
    return getpeername(fd[1], SOCKADDR(&peer), &peer.length) == 0 && peer.length == own.length
        && memcmp(&peer.storage, &own.storage, own.length) == 0;
}

/* Two connected stream sockets over loopback; false if there is no such family here. */
static inline bool tcp_pair(int family, int fd[2])
{
    struct address address;
    int l = listener(family, 1, &address), one = 1;

    if (l == -1)
        return false;
    fd[0] = OK(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    OK(connect(fd[0], SOCKADDR(&address), address.length));
    fd[1] = OK(accept4(l, NULL, NULL, SOCK_CLOEXEC));
    while (family != AF_UNIX && !is_pair(fd)) {
        OK(close(fd[1]));
        fd[1] = OK(accept4(l, NULL, NULL, SOCK_CLOEXEC));
    }
    OK(close(l));
    if (family != AF_UNIX) {
        OK(setsockopt(fd[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
        OK(setsockopt(fd[1], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
    }
    return true;
}

/* The byte streams that most tests go over: fd[0] reads what fd[1] writes. */
enum stream { STREAM_UNIX, STREAM_TCP4, STREAM_TCP6, STREAM_PIPE, STREAMS };

static inline bool stream_pair(int which, int fd[2])
{
    switch (which) {
    case STREAM_UNIX:
        unix_pair(fd);
        return true;
    case STREAM_TCP4:
        return tcp_pair(AF_INET, fd);
    case STREAM_TCP6:
        return tcp_pair(AF_INET6, fd);
    default:
        OK(pipe2(fd, O_CLOEXEC));
        return true;
    }
}

#endif
