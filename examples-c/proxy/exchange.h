/* exchange.h: one client, and the server that it wants. */
#ifndef PROXY_EXCHANGE_H
#define PROXY_EXCHANGE_H

#include <ioevent.h>
#include <stdbool.h>

/* What user pointers point to: what handles the event. */
struct source {
    void (*handle)(struct source *self, const struct ioevent *event);
};

/* Called first: up to `count` exchanges on this pipe, each with two places in it. Each gets so many seconds for the
 * head of its request, and as many without any byte in either direction. Ends the program if there is no memory. */
void exchange_open(int pipe, int count, int seconds);

/* Whether there can be one more. */
bool exchange_has_room(void);

/* Begins one with a client that was accepted, if there is room. */
void exchange_start(int client);

#endif
