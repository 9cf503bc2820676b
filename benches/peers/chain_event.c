/* The chain over libevent 2: a persistent event for each pair. */
#include "peer.h"

#include <event2/event.h>
#include <event2/event_struct.h>

static struct chain chain;
static struct event_base *base;

static void serve(evutil_socket_t fd, short events, void *index)
{
    (void)events;
    char byte;
    if (recv(fd, &byte, 1, 0) == 1)
        chain_pass(&chain, (int)(intptr_t)index);
    if (chain.to_read == 0)
        event_base_loopbreak(base);
}

int main(int argc, char **argv)
{
    chain = chain_options(argc, argv);
    struct event *event = calloc(chain.pairs, sizeof *event);
    struct event_config *config = event_config_new();
    if (event == NULL || config == NULL || event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == -1 ||
        (base = event_base_new_with_config(config)) == NULL)
        errx(1, "libevent: no base");
    for (int i = 0; i < chain.pairs; i++)
        if (event_assign(&event[i], base, chain.pair[i][0], EV_READ | EV_PERSIST, serve, (void *)(intptr_t)i) == -1 ||
            event_add(&event[i], NULL) == -1)
            errx(1, "libevent: no event");

    while (chain.rounds-- > 0) {
        chain_begin(&chain);
        event_base_dispatch(base);
        chain_end(&chain);
    }
}
