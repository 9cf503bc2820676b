/* connection.h: one client, from accept to close. */
#ifndef HTTPD_CONNECTION_H
#define HTTPD_CONNECTION_H

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdint.h>

#include "response.h"
#include "server.h"
#include "text.h"

/* Who may touch a connection? It never has more than one operation outstanding, so there is never more than one event
 * for it, and the thread that got the event owns the connection, without any lock, until it queues the next operation.
 * From that moment another thread may own it, or may even have closed and freed it: queuing is the last thing to do.
 *
 * One thing happens from outside: the sweep of the server cancels operations that take too long. That is no more than a
 * nudge. It brings the event, and whoever gets it looks at the clock, and decides as the owner. A nudge that comes too
 * late, when the next operation is already under way, does no harm: that one is queued again. */
struct connection {
    struct source source; /* first, so that a pointer to it is a pointer to the connection */

    /* Also read by the sweep: */
    int fd;                     /* open as long as the connection is in the list */
    _Atomic int64_t deadline;   /* for the operation that is outstanding, as server_now tells time */
    struct connection *previous; /* in the list; these two change under the server's lock */
    struct connection *next;

    /* Touched by the owner only: */
    enum {
        READING,  /* a request, or the body of the last one */
        SENDING,  /* a response */
        SHUTTING, /* all is sent, and the client is told */
        LINGERING /* until the client closes, what it still sends is thrown away */
    } state;
    struct text input; /* the request that is being answered, if any, and what came in behind it */
    size_t head;       /* length of that request */
    size_t seen;       /* how far no end of a head was found */
    long long skip;    /* bytes of a request's body that are still to come */
    bool in_request;   /* part of a request is here, and the clock runs for the rest */
    struct response response;
    size_t sent;          /* of response.out */
    long long total_sent; /* of the response */
    int unacknowledged;   /* bytes the client had not taken when we last looked */
    char peer[INET6_ADDRSTRLEN];
};

/* Makes a connection of an accepted descriptor and attaches it. NULL and errno: no; the descriptor is closed. */
struct connection *connection_new(struct server *server, int fd, const struct sockaddr_storage *peer);

/* Queues its first operation. An unwelcome client is told that the server is full. */
void connection_start(struct connection *c, bool welcome);

#endif
