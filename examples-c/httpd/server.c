/* server.c: accepts, sweeps out what takes too long, stops; and the loop that every worker thread runs. */
#define _GNU_SOURCE 1
#include "server.h"

#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"

enum {
    BATCH = 16,        /* events taken at a time; few, since what one thread has taken no other can do for it */
    TURNED_AWAY = 128, /* connections beyond the limit that are being told so; then the kernel lets clients wait */
    TICK = 1000,       /* milliseconds between sweeps */
    TICK_STOPPING = 50,
    GRACE = 3000, /* milliseconds for responses under way when we are to stop */
};

int64_t server_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now); /* the cheap one: exact to some milliseconds */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool server_is_stopping(struct server *server)
{
    return atomic_load(&server->stop_at) != INT64_MAX;
}

/* Queues an accept, unless there is one, or no place for another connection. Called with the lock held. */
static void accept_next(struct server *server)
{
    if (server->accepting || server->listener == -1 || server->count >= server->settings.connections + TURNED_AWAY)
        return;
    server->peer_length = sizeof server->peer;
    server->accepting = ioevent_queued(
        ioevent_accept4(server->listener, (struct sockaddr *)&server->peer, &server->peer_length, SOCK_CLOEXEC));
}

/* When the last connection is gone, tells one thread to end; each tells the next. Called with the lock held. */
static void end_if_stopped(struct server *server)
{
    if (server->finished || !server_is_stopping(server) || server->count > 0 || server->accepting)
        return;
    server->finished = true;
    const struct ioevent quit = {.ioe_user = NULL};
    if (ioevent_write(server->pipe, &quit, sizeof quit) != sizeof quit)
        err(1, "cannot stop"); /* there is a place for it */
}

/* Puts a new connection at the front of the list. Called with the lock held. */
static void add(struct server *server, struct connection *c)
{
    c->next = server->first;
    if (c->next != NULL)
        c->next->previous = c;
    server->first = c;
    server->count++;
}

void server_remove(struct server *server, struct connection *c)
{
    pthread_mutex_lock(&server->lock);
    if (c->next != NULL)
        c->next->previous = c->previous;
    if (c->previous != NULL)
        c->previous->next = c->next;
    else
        server->first = c->next;
    server->count--;
    pthread_mutex_unlock(&server->lock);

    /* Only now, when no sweep finds it any more: its number may belong to another connection at once. */
    ioevent_close(c->fd);

    pthread_mutex_lock(&server->lock);
    accept_next(server); /* if it had to wait for a place or a descriptor */
    end_if_stopped(server);
    pthread_mutex_unlock(&server->lock);
}

static void handle_accept(struct source *self, const struct ioevent *event)
{
    struct server *server = self->server;
    struct connection *c = NULL;
    if (event->ioe_result >= 0)
        c = connection_new(server, event->ioe_result, &server->peer);

    pthread_mutex_lock(&server->lock);
    server->accepting = false;
    bool welcome = server->count < server->settings.connections;
    if (c != NULL) {
        add(server, c);
        accept_next(server);
    } /* else descriptors or memory ran out: the next connection that is closed, or the next tick, tries again */
    end_if_stopped(server);
    pthread_mutex_unlock(&server->lock);

    if (c != NULL)
        connection_start(c, welcome);
}

/* Nudges every connection whose time is over; all of them when we are stopping. Called with the lock held. */
static void sweep(struct server *server)
{
    bool stopping = server_is_stopping(server);
    int64_t now = server_now();
    for (struct connection *c = server->first; c != NULL; c = c->next)
        if (stopping || now >= atomic_load_explicit(&c->deadline, memory_order_relaxed))
            ioevent_cancel(c->fd);
}

static bool await_tick(struct server *server)
{
    return ioevent_queued(ioevent_read(server->timer, &server->ticks, sizeof server->ticks));
}

static void handle_tick(struct source *self, const struct ioevent *event)
{
    (void)event;
    struct server *server = self->server;
    pthread_mutex_lock(&server->lock);
    sweep(server);
    accept_next(server);
    pthread_mutex_unlock(&server->lock);
    await_tick(server);
}

static void set_timer(struct server *server, long milliseconds)
{
    const struct timespec interval = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
    const struct itimerspec timer = {.it_value = interval, .it_interval = interval};
    timerfd_settime(server->timer, 0, &timer, NULL);
}

static bool await_signal(struct server *server)
{
    return ioevent_queued(ioevent_read(server->signals, &server->signal, sizeof server->signal));
}

/* SIGINT or SIGTERM. No new connection is taken, idle ones are closed, and responses under way have a moment to come to
 * their end. The second signal takes that away. */
static void handle_signal(struct source *self, const struct ioevent *event)
{
    struct server *server = self->server;
    if (event->ioe_result <= 0)
        return;
    pthread_mutex_lock(&server->lock);
    atomic_store(&server->stop_at, server_is_stopping(server) ? server_now() : server_now() + GRACE);
    if (server->listener != -1) {
        ioevent_close(server->listener); /* the accept that is outstanding ends with ECANCELED */
        server->listener = -1;
    }
    sweep(server);
    set_timer(server, TICK_STOPPING); /* to nudge again who was between two operations just now */
    end_if_stopped(server);
    pthread_mutex_unlock(&server->lock);
    await_signal(server);
}

void server_work(struct server *server)
{
    for (;;) {
        struct ioevent events[BATCH];
        int count = ioevent_wait(server->pipe, events, BATCH, NULL);
        if (count == -1 && errno != EINTR)
            err(1, "ioevent_wait");
        for (int i = 0; i < count; i++) {
            struct source *source = events[i].ioe_user;
            if (source == NULL) { /* posted by end_if_stopped: pass it on, and go */
                ioevent_write(server->pipe, &events[i], sizeof events[i]);
                return;
            }
            source->handle(source, &events[i]);
        }
    }
}

/* Every connection has one place in the pipe, for its one operation. Accept, tick, signal and the event that ends the
 * threads have one each. So the pipe is never full. */
static int places(const struct settings *settings)
{
    return settings->connections + TURNED_AWAY + 4;
}

/* Says what went wrong, and why. */
static bool failed(const char *what)
{
    warn("%s", what);
    return false;
}

static bool open_listener(struct server *server)
{
    const struct settings *settings = &server->settings;
    const int yes = 1;
    server->listener = socket(settings->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->listener == -1)
        return failed("cannot open a socket");
    setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(server->listener, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes); /* its connections inherit this */
    if (bind(server->listener, (const struct sockaddr *)&settings->address, settings->address_length) == -1 ||
        listen(server->listener, SOMAXCONN) == -1) {
        warn("cannot listen on %s port %s", settings->host, settings->port);
        return false;
    }
    return true;
}

static bool open_signals(struct server *server)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop, NULL); /* inherited by the threads, which are started later */
    signal(SIGPIPE, SIG_IGN);                /* if the reader of the log goes, the server stays */
    server->signals = signalfd(-1, &stop, SFD_NONBLOCK | SFD_CLOEXEC);
    return server->signals != -1 || failed("cannot open a signalfd");
}

static bool attach(struct server *server, int fd, struct source *source)
{
    source->server = server;
    return ioevent_fcntl(fd, F_SETIOEVENTPIPE, server->pipe, source) == 0;
}

bool server_open(struct server *server, const struct settings *settings)
{
    *server = (struct server){
        .settings = *settings,
        .pipe = -1,
        .root = -1,
        .timer = -1,
        .signals = -1,
        .on_accept.handle = handle_accept,
        .on_tick.handle = handle_tick,
        .on_signal.handle = handle_signal,
        .stop_at = INT64_MAX,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .listener = -1,
    };
    server->root = open(settings->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (server->root == -1)
        return failed(settings->directory);
    if (!open_listener(server) || !open_signals(server))
        return false;
    server->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (server->timer == -1)
        return failed("cannot open a timerfd");
    set_timer(server, TICK);

    server->pipe = ioeventpipe2(places(settings), O_CLOEXEC);
    if (server->pipe == -1 || !attach(server, server->listener, &server->on_accept) ||
        !attach(server, server->timer, &server->on_tick) || !attach(server, server->signals, &server->on_signal))
        return failed("cannot set up an ioevent pipe");
    accept_next(server); /* no other thread is there yet from which the lock would have to protect */
    return (server->accepting && await_tick(server) && await_signal(server)) || failed("cannot queue an operation");
}

int server_port(const struct server *server)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getsockname(server->listener, (struct sockaddr *)&address, &length) == -1)
        return 0;
    if (address.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((const struct sockaddr_in *)&address)->sin_port);
}

static void close_if_open(int fd)
{
    if (fd != -1)
        ioevent_close(fd);
}

void server_close(struct server *server)
{
    close_if_open(server->pipe); /* first: afterwards no operation is outstanding, and nothing attached */
    close_if_open(server->listener);
    close_if_open(server->timer);
    close_if_open(server->signals);
    close_if_open(server->root);
    pthread_mutex_destroy(&server->lock);
}
