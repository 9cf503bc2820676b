/* Echo over epoll, level-triggered: one recv and one send for each "ready". */
#include "peer.h"

#include <sys/epoll.h>

enum { BATCH = 64 };
struct connection { int fd; unsigned begin, end; char buffer[]; }; /* begin to end: received, not yet sent */

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
        if (watch(EPOLL_CTL_ADD, c, EPOLLIN) == -1)
            end(c);
    }
}

static void on_writable(struct connection *c)
{
    ssize_t n = send(c->fd, c->buffer + c->begin, c->end - c->begin, MSG_NOSIGNAL);
    if (n == -1 && errno != EAGAIN) {
        end(c);
        return;
    }
    c->begin += n == -1 ? 0 : n;
    if (c->begin == c->end && watch(EPOLL_CTL_MOD, c, EPOLLIN) == -1)
        end(c);
}

static void on_readable(struct connection *c)
{
    ssize_t n = recv(c->fd, c->buffer, buffer_bytes, 0);
    if (n == -1 && errno == EAGAIN)
        return;
    if (n <= 0) {
        end(c);
        return;
    }
    ssize_t sent = send(c->fd, c->buffer, n, MSG_NOSIGNAL);
    if (sent == n)
        return;
    c->begin = sent == -1 ? 0 : sent;
    c->end = n;
    if ((sent == -1 && errno != EAGAIN) || watch(EPOLL_CTL_MOD, c, EPOLLOUT) == -1)
        end(c);
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
            struct connection *c = events[i].data.ptr;
            if (c == &listener)
                accept_all(listener.fd);
            else if (c->begin < c->end)
                on_writable(c);
            else
                on_readable(c);
        }
    }
}
