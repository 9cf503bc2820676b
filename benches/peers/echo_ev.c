/* Echo over libev: one watcher for each connection, which turns to EV_WRITE while the socket takes no more.
 * Built with LIMIT: a time limit on each connection, which every event sets anew. */
#include "peer.h"

#include <ev.h>

#ifndef LIMIT
#define LIMIT 0
#endif

/* begin to end: received, not yet sent. */
struct connection { ev_io io; ev_timer timer[LIMIT]; unsigned begin, end; char buffer[]; };

static size_t buffer_bytes;

static void finish(EV_P_ struct connection *c)
{
    ev_io_stop(EV_A_ & c->io);
    if (LIMIT)
        ev_timer_stop(EV_A_ c->timer);
    close(c->io.fd);
    free(c);
}

static void turn(EV_P_ struct connection *c, int events, void (*callback)(EV_P_ ev_io *io, int events))
{
    ev_io_stop(EV_A_ & c->io);
    ev_io_set(&c->io, c->io.fd, events);
    ev_set_cb(&c->io, callback);
    ev_io_start(EV_A_ & c->io);
}

static void on_limit(EV_P_ ev_timer *timer, int events)
{
    (void)events;
    finish(EV_A_ timer->data);
}

static void on_readable(EV_P_ ev_io *io, int events);

static void on_writable(EV_P_ ev_io *io, int events)
{
    (void)events;
    struct connection *c = (struct connection *)io;
    if (LIMIT)
        ev_timer_again(EV_A_ c->timer);
    ssize_t n = send(io->fd, c->buffer + c->begin, c->end - c->begin, MSG_NOSIGNAL);
    if (n == -1 && errno != EAGAIN) {
        finish(EV_A_ c);
        return;
    }
    c->begin += n == -1 ? 0 : n;
    if (c->begin == c->end)
        turn(EV_A_ c, EV_READ, on_readable);
}

static void on_readable(EV_P_ ev_io *io, int events)
{
    (void)events;
    struct connection *c = (struct connection *)io;
    if (LIMIT)
        ev_timer_again(EV_A_ c->timer);
    ssize_t n = recv(io->fd, c->buffer, buffer_bytes, 0);
    if (n == -1 && errno == EAGAIN)
        return;
    if (n <= 0) {
        finish(EV_A_ c);
        return;
    }
    ssize_t sent = send(io->fd, c->buffer, n, MSG_NOSIGNAL);
    if (sent == n)
        return;
    if (sent == -1 && errno != EAGAIN) {
        finish(EV_A_ c);
        return;
    }
    c->begin = sent == -1 ? 0 : sent;
    c->end = n;
    turn(EV_A_ c, EV_WRITE, on_writable);
}

static void accept_all(EV_P_ ev_io *listener, int events)
{
    (void)events;
    for (int fd; (fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1;) {
        struct connection *c = malloc(sizeof *c + buffer_bytes);
        if (c == NULL) {
            close(fd);
            continue;
        }
        ev_io_init(&c->io, on_readable, fd, EV_READ);
        ev_io_start(EV_A_ & c->io);
        if (LIMIT) {
            ev_timer_init(c->timer, on_limit, 0., PEER_LIMIT);
            c->timer->data = c;
            ev_timer_again(EV_A_ c->timer);
        }
    }
}

int main(int argc, char **argv)
{
    struct peer_options options = peer_options(argc, argv, PEER_ONE_THREAD);
    buffer_bytes = options.buffer;
    struct ev_loop *loop = ev_default_loop(EVBACKEND_EPOLL);
    if (loop == NULL)
        errx(1, "libev: no loop");
    ev_io listener;
    ev_io_init(&listener, accept_all, peer_listen(options.port), EV_READ);
    ev_io_start(EV_A_ & listener);
    peer_ready();
    ev_run(EV_A_ 0);
}
