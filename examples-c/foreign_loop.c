/* foreign_loop [port]: a pipe inside of a loop that is not the library's. The loop waits with poll(2) for three things:
 * lines on standard input, signals, and the pipe, whose descriptor is readable whenever there is something to harvest.
 * An echo server lives behind the pipe; of the loop it needs to know nothing, nor the loop of it.
 *
 * A line on standard input is answered with the number of connections. SIGTERM ends the program. */
#include "example.h"

#include <fcntl.h>
#include <ioevent.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { CONNECTIONS = 1000, BATCH = 64 };

/* ---- the server: anything that knows ioevent pipes, and not where the loop is ---- */

struct connection {
    int fd, writing;
    struct connection *next; /* in the list of those that nobody uses */
    char buffer[4096];
};

static struct connection table[CONNECTIONS], *unused;
static int pipe_fd, listener, connections, accepting;
static char again; /* its address is the user pointer of the timer after which accept is called again */

static void accept_next(void)
{
    if (!accepting && unused != NULL)
        accepting = ioevent_queued(ioevent_accept4(listener, NULL, NULL, SOCK_CLOEXEC));
}

static void accept_later(void)
{
    struct ioevent_op op;
    ioevent_prep_timer(&op, pipe_fd, &(struct timespec){.tv_nsec = 100000000}, &again);
    accepting = ioevent_submit(&op, 1) == 1; /* no accept is outstanding, so the timer has its place */
}

/* Goes on from a result: what was read is written, and after a write the next bytes are read. */
static void go_on(struct connection *c, int result)
{
    c->writing = !c->writing;
    if (result > 0 && ioevent_queued(c->writing ? ioevent_write(c->fd, c->buffer, (size_t)result)
                                                : ioevent_read(c->fd, c->buffer, sizeof c->buffer)))
        return;
    ioevent_close(c->fd); /* end of file or an error: nothing is outstanding */
    c->next = unused;
    unused = c;
    connections--;
}

static void accepted(const struct ioevent *event)
{
    accepting = 0;
    if (event->ioe_result == -1 && is_shortage(event->ioe_errno))
        accept_later();
    if (event->ioe_result == -1)
        return;
    struct connection *c = unused; /* there is one, or no accept would have been queued */
    unused = c->next;
    connections++;
    c->fd = event->ioe_result;
    c->writing = 1; /* as if it had just written: so it goes on to read */
    go_on(c, ioevent_fcntl(c->fd, F_SETIOEVENTPIPE, pipe_fd, c) == 0 ? 1 : -1);
}

/* Opens the server; its descriptor is to be polled for POLLIN, and server_handle called then. There is a place in the
 * pipe for each connection and for accept. O_NONBLOCK makes the pipe one that can be polled. */
static int server_open(int port)
{
    for (int i = 0; i < CONNECTIONS; i++) {
        table[i].next = unused;
        unused = &table[i];
    }
    listener = open_port(SOCK_STREAM, port);
    pipe_fd = ioeventpipe2(CONNECTIONS + 1, O_NONBLOCK | O_CLOEXEC);
    if (pipe_fd == -1 || ioevent_fcntl(listener, F_SETIOEVENTPIPE, pipe_fd, NULL) == -1)
        err(1, "ioeventpipe");
    accept_next();
    if (!accepting)
        err(1, "accept");
    return pipe_fd;
}

/* Takes what is there and returns. One batch is enough: if there is more, poll says so at once, and the loop has come
 * round to its other descriptors meanwhile. That the pipe was readable for nothing is allowed. */
static void server_handle(void)
{
    struct ioevent events[BATCH];
    ssize_t bytes = ioevent_read(pipe_fd, events, sizeof events);
    if (bytes == -1 && errno != EAGAIN && errno != EINTR)
        err(1, "harvest");
    for (ssize_t i = 0; i < bytes / (ssize_t)sizeof *events; i++) {
        if (events[i].ioe_user == NULL)
            accepted(&events[i]);
        else if (events[i].ioe_user == &again)
            accepting = 0;
        else
            go_on(events[i].ioe_user, events[i].ioe_result);
    }
    accept_next();
}

/* The buffers may be used for other things afterwards: nothing is outstanding any more, and nothing attached. */
static void server_close(void)
{
    ioevent_close(pipe_fd);
    close(listener);
}

/* ---- the loop: any other ---- */

int main(int argc, char **argv)
{
    int port = argc < 2 ? 7777 : number(argv[1], 1, 65535);
    if (argc > 2 || port == -1)
        errx(2, "usage: foreign_loop [port], from 1 to 65535");
    struct pollfd fds[] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = open_signals(), .events = POLLIN},
        {.fd = server_open(port), .events = POLLIN},
    };
    while (fds[1].revents == 0) {
        if (poll(fds, sizeof fds / sizeof *fds, -1) == -1) {
            if (errno != EINTR)
                err(1, "poll");
            continue;
        }
        if (fds[0].revents != 0) {
            char line[256];
            if (read(STDIN_FILENO, line, sizeof line) > 0) {
                printf("%d connections\n", connections);
                fflush(stdout);
            } else {
                fds[0].fd = -1; /* poll passes over it */
            }
        }
        if (fds[2].revents != 0)
            server_handle();
    }
    server_close();
    close(fds[1].fd);
    return 0;
}
