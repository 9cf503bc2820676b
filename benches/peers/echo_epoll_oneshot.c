/* Echo over one epoll that several threads wait on. EPOLLONESHOT gives a connection to one of them, until that one arms
 * it again; so a connection needs no lock. */
#include "peer.h"

#include <pthread.h>
#include <sys/epoll.h>

enum { BATCH = 64 };
struct connection { int fd; unsigned begin, end; char buffer[]; }; /* begin to end: received, not yet sent */

static int epoll;
static size_t buffer_bytes;
static struct connection listener;

static int watch(int how, struct connection *c, uint32_t events)
{
    struct epoll_event event = {.events = events | EPOLLONESHOT, .data.ptr = c};
    return epoll_ctl(epoll, how, c->fd, &event);
}

static void end(struct connection *c)
{
    close(c->fd); /* which takes it out of epoll, too */
    free(c);
}

static void accept_all(void)
{
    for (int fd; (fd = accept4(listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1;) {
        struct connection *c = malloc(sizeof *c + buffer_bytes);
        if (c == NULL) {
            close(fd);
            continue;
        }
        *c = (struct connection){.fd = fd};
        if (watch(EPOLL_CTL_ADD, c, EPOLLIN) == -1)
            end(c);
    }
    watch(EPOLL_CTL_MOD, &listener, EPOLLIN);
}

static void serve(struct connection *c)
{
    if (c->begin == c->end) {
        ssize_t n = recv(c->fd, c->buffer, buffer_bytes, 0);
        if (n == 0 || (n == -1 && errno != EAGAIN)) {
            end(c);
            return;
        }
        c->begin = 0;
        c->end = n == -1 ? 0 : n;
    }
    if (c->begin < c->end) {
        ssize_t n = send(c->fd, c->buffer + c->begin, c->end - c->begin, MSG_NOSIGNAL);
        if (n == -1 && errno != EAGAIN) {
            end(c);
            return;
        }
        c->begin += n == -1 ? 0 : n;
    }
    /* After this call it may belong to another thread already. */
    if (watch(EPOLL_CTL_MOD, c, c->begin < c->end ? EPOLLOUT : EPOLLIN) == -1)
        end(c);
}

static void *work(void *unused)
{
    for (;;) {
        struct epoll_event events[BATCH];
        int n = epoll_wait(epoll, events, BATCH, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &listener)
                accept_all();
            else
                serve(events[i].data.ptr);
        }
    }
    return unused;
}

int main(int argc, char **argv)
{
    struct peer_options options = peer_options(argc, argv, PEER_THREADS);
    buffer_bytes = options.buffer;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    listener.fd = peer_listen(options.port);
    if (epoll == -1 || watch(EPOLL_CTL_ADD, &listener, EPOLLIN) == -1)
        err(1, "epoll");
    peer_ready();

    for (int i = 1; i < options.threads; i++) {
        pthread_t thread;
        if ((errno = pthread_create(&thread, NULL, work, NULL)) != 0)
            err(1, "thread");
    }
    work(NULL);
}
