/* server.h: what the worker threads share: the pipe, the listening socket, the connections, the timer, the signals. */
#ifndef HTTPD_SERVER_H
#define HTTPD_SERVER_H

#include <errno.h>
#include <ioevent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

struct connection;
struct server;

/* What the user pointer of every descriptor points to: who handles its events. */
struct source {
    void (*handle)(struct source *self, const struct ioevent *event);
    struct server *server;
};

struct settings {
    const char *directory;
    const char *host;
    const char *port;
    struct sockaddr_storage address; /* host and port together */
    socklen_t address_length;
    int connections;     /* that are served at a time; those beyond are told to come back later */
    int request_seconds; /* for a request to come in, from its first byte to its last */
    int idle_seconds;    /* between requests */
    int stall_seconds;   /* without progress, while a response goes out */
    bool log;
};

struct server {
    struct settings settings;
    int pipe;
    int root; /* the directory that is served */
    int timer;
    int signals;
    struct source on_accept;
    struct source on_tick;
    struct source on_signal;

    /* Filled by operations that are outstanding, read when their events come. */
    struct sockaddr_storage peer;
    socklen_t peer_length;
    uint64_t ticks;
    struct signalfd_siginfo signal;

    /* When the last connection must be gone, as server_now tells time. INT64_MAX: nobody asked us to stop. */
    _Atomic int64_t stop_at;

    pthread_mutex_t lock; /* for all that follows */
    int listener;         /* -1: closed, because we are stopping */
    bool accepting;       /* an accept is outstanding */
    bool finished;        /* stopped, and the last connection is gone */
    int count;            /* connections in the list */
    struct connection *first;
};

/* Opens all that is needed and starts to accept. If it cannot it says why on stderr and answers false. */
bool server_open(struct server *server, const struct settings *settings);

/* Handles events until the server has stopped. Any number of threads may run this. */
void server_work(struct server *server);

/* Closes and frees everything, also after server_open failed. No thread may be in server_work any more. */
void server_close(struct server *server);

/* The port that it listens on. */
int server_port(const struct server *server);

/* Milliseconds, on a clock that is never set. */
int64_t server_now(void);

bool server_is_stopping(struct server *server);

/* Takes a connection out of the list and closes its descriptor. It may not have an operation outstanding. */
void server_remove(struct server *server, struct connection *c);

#endif
