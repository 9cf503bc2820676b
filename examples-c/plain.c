/* plain [port]: sends back what it receives, in nothing but plain names. fcntl ties a descriptor to the pipe and to a
 * pointer of ours; from then on read, write and accept on it are queued, and a read of the pipe gives their results.
 * Build it with libioevent_posix, or with libioevent and run it with LD_PRELOAD=libioevent_posix.so.0.
 *
 * Each connection has one operation outstanding, a read or a write in turn. Its event, once read, has given its place
 * in the pipe back, so the next operation always finds one. accept comes last and takes what is left: when the pipe is
 * full, as many clients are served as it can handle; the others wait in the kernel until one of those has gone. */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ioevent.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { PLACES = 1000, BATCH = 64 };

struct connection {
    int fd, writing;
    char buffer[4096]; /* belongs to the operation that is outstanding, until its event has been read */
};

static struct signalfd_siginfo ending; /* the signal that ends us */
static int accepting;                  /* an accept is outstanding */
static int connections, short_of;      /* how many are open; accept found no descriptor, or no memory, for one more */

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void end(struct connection *c)
{
    close(c->fd); /* nothing is outstanding on it */
    free(c);
    connections--;
    short_of = 0;
}

/* Goes on from a result: what was read is written, and after a write the next bytes are read. */
static void go_on(struct connection *c, int result)
{
    c->writing = !c->writing;
    if (result <= 0 || !ioevent_queued(c->writing ? write(c->fd, c->buffer, (size_t)result)
                                                  : read(c->fd, c->buffer, sizeof c->buffer)))
        end(c); /* end of file or an error */
}

static void accepted(int pipe, int fd, int error)
{
    struct connection *c = fd == -1 ? NULL : malloc(sizeof *c);
    accepting = 0;
    if (c == NULL) {
        if (fd != -1)
            close(fd);
        else if (error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM)
            return; /* the client's connection was lost before it was accepted */
        errno = error != 0 ? error : ENOMEM;
        if (connections == 0)
            fail("plain: accept");
        short_of = 1;
        return;
    }
    *c = (struct connection){.fd = fd, .writing = 1}; /* as if it had just written: so it goes on to read */
    connections++;
    go_on(c, fcntl(fd, F_SETIOEVENTPIPE, pipe, c) == 0 ? 1 : -1);
}

static void start_accept(int listener)
{
    static int said;
    accepting = ioevent_queued(accept(listener, NULL, NULL));
    if (accepting)
        return;
    if (errno != EIOEVENTFULL)
        fail("plain: accept");
    if (!said)
        perror("plain: accept"); /* not an error: it is tried again when events have been read */
    said = 1;
}

/* SIGTERM and SIGINT come out of the pipe, too. */
static void attach_signals(int pipe)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, 0);
    if (fd == -1 || fcntl(fd, F_SETIOEVENTPIPE, pipe, &ending) == -1 ||
        !ioevent_queued(read(fd, &ending, sizeof ending)))
        fail("plain: signalfd");
}

static int open_listener(long port)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes); /* its connections inherit this */
    if (fd == -1 || bind(fd, (struct sockaddr *)&here, sizeof here) == -1 || listen(fd, SOMAXCONN) == -1) {
        fprintf(stderr, "plain: port %ld: %s\n", port, strerror(errno));
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv)
{
    char *rest = "";
    long port = argc < 2 ? 7777 : strtol(argv[1], &rest, 10);
    if (argc > 2 || *rest != '\0' || port < 1 || port > 65535) {
        fputs("usage: plain [port], from 1 to 65535\n", stderr);
        return 2;
    }
    int listener = open_listener(port), pipe = ioeventpipe(PLACES);
    if (pipe == -1)
        fail("plain: ioeventpipe");
    if (fcntl(listener, F_SETIOEVENTPIPE, pipe, NULL) == -1) { /* NULL: so we know its events */
        if (errno != EINVAL)
            fail("plain: fcntl");
        fputs("plain: fcntl is libc's: link libioevent_posix, or set LD_PRELOAD=libioevent_posix.so.0\n", stderr);
        return 1;
    }
    attach_signals(pipe);

    for (;;) {
        if (!accepting && !short_of)
            start_accept(listener);
        struct ioevent events[BATCH];
        ssize_t bytes = read(pipe, events, sizeof events); /* waits until there is one */
        if (bytes == -1 && errno != EINTR)
            fail("plain: read");
        for (ssize_t i = 0; i < bytes / (ssize_t)sizeof *events; i++) {
            if (events[i].ioe_user == &ending)
                return close(pipe); /* ends all that is outstanding */
            if (events[i].ioe_user == NULL)
                accepted(pipe, events[i].ioe_result, events[i].ioe_errno);
            else
                go_on(events[i].ioe_user, events[i].ioe_result);
        }
    }
}
