/* Echo over epoll, edge-triggered: each connection is registered once, for both directions. A read shorter than the
 * buffer says that there is no more, and saves the recv that would only find EAGAIN; after a hang-up it says nothing,
 * because no further edge follows. A connection with more than its share makes room for the others. */
#include "peer.h"

#include <sys/epoll.h>

enum { BATCH = 64, MOST_TURNS = 16 };
struct connection { int fd; unsigned begin, end; char buffer[]; }; /* begin to end: received, not yet sent */

static const uint32_t EDGES = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
static int epoll;
static size_t buffer_bytes;

static int watch(int how, struct connection *c, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = c};
    return epoll_ctl(epoll, how, c->fd, &event);
}

static void end(struct connection *c)
{
    close(c->fd); /* which takes it out of epoll, too */
    free(c);
}

static void accept_all(int listener)
{
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1;) {
        struct connection *c = malloc(sizeof *c + buffer_bytes);
        if (c == NULL) {
            close(fd);
            continue;
        }
        *c = (struct connection){.fd = fd};
        if (watch(EPOLL_CTL_ADD, c, EDGES) == -1)
            end(c);
    }
}

/* Goes on until nothing can be received or sent: an edge will tell when that changes. */
static void serve(struct connection *c, uint32_t events)
{
    for (int turns = 0, drained = 0;; turns++) {
        while (c->begin < c->end) {
            ssize_t n = send(c->fd, c->buffer + c->begin, c->end - c->begin, MSG_NOSIGNAL);
            if (n == -1 && errno == EAGAIN)
                return;
            if (n == -1) {
                end(c);
                return;
            }
            c->begin += n;
        }
        if (drained)
            return;
        if (turns == MOST_TURNS) {
            if (watch(EPOLL_CTL_MOD, c, EDGES) == -1) /* an edge, if there is more */
                end(c);
            return;
        }
        ssize_t n = recv(c->fd, c->buffer, buffer_bytes, 0);
        if (n == -1 && errno == EAGAIN)
            return;
        if (n <= 0) {
            end(c);
            return;
        }
        c->begin = 0;
        c->end = n;
        drained = (size_t)n < buffer_bytes && !(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
    }
}

int main(int argc, char **argv)
{
    struct peer_options options = peer_options(argc, argv, PEER_ONE_THREAD);
    buffer_bytes = options.buffer;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct connection listener = {.fd = peer_listen(options.port)};
    if (epoll == -1 || watch(EPOLL_CTL_ADD, &listener, EPOLLIN) == -1)
        err(1, "epoll");
    peer_ready();

    for (;;) {
        struct epoll_event events[BATCH];
        int n = epoll_wait(epoll, events, BATCH, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &listener)
                accept_all(listener.fd);
            else
                serve(events[i].data.ptr, events[i].events);
        }
    }
}
