/* The chain over libuv: a poll handle for each pair. (A stream would read several bytes at once where others read one,
 * or read twice for each.) */
#include "peer.h"

#include <uv.h>

static struct chain chain;

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    char byte;
    int index = (int)(intptr_t)poll->data;
    if (recv(chain.pair[index][0], &byte, 1, 0) == 1)
        chain_pass(&chain, index);
    if (chain.to_read == 0)
        uv_stop(poll->loop);
}

int main(int argc, char **argv)
{
    chain = chain_options(argc, argv);
    uv_loop_t *loop = uv_default_loop();
    uv_poll_t *poll = calloc(chain.pairs, sizeof *poll);
    for (int i = 0; i < chain.pairs; i++) {
        if (poll == NULL || uv_poll_init(loop, &poll[i], chain.pair[i][0]) < 0 ||
            uv_poll_start(&poll[i], UV_READABLE, on_ready) < 0)
            errx(1, "libuv: no poll handle");
        poll[i].data = (void *)(intptr_t)i;
    }
    uv_run(loop, UV_RUN_NOWAIT); /* which tells epoll of them */

    while (chain.rounds-- > 0) {
        chain_begin(&chain);
        uv_run(loop, UV_RUN_DEFAULT);
        chain_end(&chain);
    }
}
