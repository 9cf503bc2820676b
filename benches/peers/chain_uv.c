/* The chain over libuv: each reading end is a stream. */
#include "peer.h"

#include <uv.h>

static struct chain chain;
static char buffer[64]; /* what was read is handed on before anyone else reads */

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *given)
{
    (void)handle, (void)suggested;
    *given = uv_buf_init(buffer, sizeof buffer);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *given)
{
    (void)given;
    for (ssize_t i = 0; i < n; i++)
        chain_pass(&chain, (int)(intptr_t)stream->data);
    if (chain.to_read == 0)
        uv_stop(stream->loop);
}

int main(int argc, char **argv)
{
    chain = chain_options(argc, argv);
    uv_loop_t *loop = uv_default_loop();
    uv_pipe_t *stream = calloc(chain.pairs, sizeof *stream);
    for (int i = 0; i < chain.pairs; i++) {
        if (stream == NULL || uv_pipe_init(loop, &stream[i], 0) < 0 || uv_pipe_open(&stream[i], chain.pair[i][0]) < 0 ||
            uv_read_start((uv_stream_t *)&stream[i], give_buffer, on_read) < 0)
            errx(1, "libuv: no stream");
        stream[i].data = (void *)(intptr_t)i;
    }
    uv_run(loop, UV_RUN_NOWAIT); /* which tells epoll of them */

    while (chain.rounds-- > 0) {
        chain_begin(&chain);
        uv_run(loop, UV_RUN_DEFAULT);
        chain_end(&chain);
    }
}
