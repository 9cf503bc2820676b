/* resolver.h: looks names up, in threads of its own. */
#ifndef PROXY_RESOLVER_H
#define PROXY_RESOLVER_H

#include <netdb.h>

struct resolution {
    struct resolution *next;
    const char *host, *port; /* given; they must stay until the event has come */
    void *user;              /* given: the user pointer of the event */
    struct addrinfo *found;  /* the answer; for freeaddrinfo */
};

/* Starts the threads, which post to this pipe. Ends the program if it cannot. */
void resolver_open(int pipe);

/* Returns at once. An event is posted when the answer is there: its result is what getaddrinfo has returned. Each
 * resolution that has been started needs a place in the pipe. */
void resolver_start(struct resolution *r);

#endif
