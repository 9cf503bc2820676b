/* The chain over libev: a watcher for each pair. */
#include "peer.h"

#include <ev.h>

static struct chain chain;

static void serve(EV_P_ ev_io *io, int events)
{
    (void)events;
    char byte;
    if (recv(io->fd, &byte, 1, 0) == 1)
        chain_pass(&chain, (int)(intptr_t)io->data);
    if (chain.to_read == 0)
        ev_break(EV_A_ EVBREAK_ONE);
}

int main(int argc, char **argv)
{
    chain = chain_options(argc, argv);
    struct ev_loop *loop = ev_default_loop(EVBACKEND_EPOLL);
    ev_io *io = calloc(chain.pairs, sizeof *io);
    if (loop == NULL || io == NULL)
        errx(1, "libev: no loop");
    for (int i = 0; i < chain.pairs; i++) {
        ev_io_init(&io[i], serve, chain.pair[i][0], EV_READ);
        io[i].data = (void *)(intptr_t)i;
        ev_io_start(EV_A_ & io[i]);
    }
    ev_run(EV_A_ EVRUN_NOWAIT); /* which tells epoll of them */

    while (chain.rounds-- > 0) {
        chain_begin(&chain);
        ev_run(EV_A_ 0);
        chain_end(&chain);
    }
}
