/* Echo over libevent 2: one persistent event for each connection, which turns to EV_WRITE while the socket takes no
 * more. (Events, not bufferevents: those have buffers of their own, and an echo has no use for them.)
 * Built with LIMIT: a time limit on each connection, which every event sets anew. */
#include "peer.h"

#include <event2/event.h>
#include <event2/event_struct.h>

struct connection { struct event event; unsigned begin, end; char buffer[]; }; /* begin to end: not yet sent */

#ifndef LIMIT
#define LIMIT 0
#endif

static struct event_base *base;
static size_t buffer_bytes;

static void finish(struct connection *c)
{
    event_del(&c->event);
    close(event_get_fd(&c->event));
    free(c);
}

static int watch(struct connection *c, evutil_socket_t fd, short events, event_callback_fn callback)
{
    if (event_assign(&c->event, base, fd, events | EV_PERSIST, callback, c) == -1)
        return -1;
    return event_add(&c->event, LIMIT ? &(struct timeval){.tv_sec = PEER_LIMIT} : NULL);
}

static void turn(struct connection *c, evutil_socket_t fd, short events, event_callback_fn callback)
{
    event_del(&c->event);
    if (watch(c, fd, events, callback) == -1)
        finish(c);
}

static void on_readable(evutil_socket_t fd, short events, void *arg);

static void on_writable(evutil_socket_t fd, short events, void *arg)
{
    struct connection *c = arg;
    if (LIMIT && (events & EV_TIMEOUT)) {
        finish(c);
        return;
    }
    ssize_t n = send(fd, c->buffer + c->begin, c->end - c->begin, MSG_NOSIGNAL);
    if (n == -1 && errno != EAGAIN) {
        finish(c);
        return;
    }
    c->begin += n == -1 ? 0 : n;
    if (c->begin == c->end)
        turn(c, fd, EV_READ, on_readable);
}

static void on_readable(evutil_socket_t fd, short events, void *arg)
{
    struct connection *c = arg;
    if (LIMIT && (events & EV_TIMEOUT)) {
        finish(c);
        return;
    }
    ssize_t n = recv(fd, c->buffer, buffer_bytes, 0);
    if (n == -1 && errno == EAGAIN)
        return;
    if (n <= 0) {
        finish(c);
        return;
    }
    ssize_t sent = send(fd, c->buffer, n, MSG_NOSIGNAL);
    if (sent == n)
        return;
    if (sent == -1 && errno != EAGAIN) {
        finish(c);
        return;
    }
    c->begin = sent == -1 ? 0 : sent;
    c->end = n;
    turn(c, fd, EV_WRITE, on_writable);
}

static void accept_all(evutil_socket_t listener, short events, void *arg)
{
    (void)events, (void)arg;
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1;) {
        struct connection *c = malloc(sizeof *c + buffer_bytes);
        if (c == NULL || watch(c, fd, EV_READ, on_readable) == -1) {
            close(fd);
            free(c);
        }
    }
}

int main(int argc, char **argv)
{
    struct peer_options options = peer_options(argc, argv, PEER_ONE_THREAD);
    buffer_bytes = options.buffer;
    struct event_config *config = event_config_new();
    if (config == NULL || event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == -1 ||
        (base = event_base_new_with_config(config)) == NULL)
        errx(1, "libevent: no base");
    event_config_free(config);
    struct event *listener = event_new(base, peer_listen(options.port), EV_READ | EV_PERSIST, accept_all, NULL);
    if (listener == NULL || event_add(listener, NULL) == -1)
        errx(1, "libevent: no event");
    peer_ready();
    event_base_dispatch(base);
}
