/* Echo over libuv: uv_try_write at once; what the socket does not take goes into a uv_write, and reading stops until
 * that is done. Built with LIMIT: a time limit on each connection, which every read and write sets anew. */
#include "peer.h"

#include <uv.h>

#ifndef LIMIT
#define LIMIT 0
#endif

struct connection { uv_tcp_t tcp; uv_write_t write; uv_timer_t timer[LIMIT]; char buffer[]; };

static size_t buffer_bytes;

static void free_connection(uv_handle_t *handle) { free(handle->data); }

static void close_timer(uv_handle_t *handle)
{
    struct connection *c = handle->data;
    uv_close((uv_handle_t *)c->timer, free_connection);
}

static void finish(struct connection *c)
{
    if (!uv_is_closing((uv_handle_t *)&c->tcp))
        uv_close((uv_handle_t *)&c->tcp, LIMIT ? close_timer : free_connection);
}

static void on_limit(uv_timer_t *timer) { finish(timer->data); }

static void progress(struct connection *c)
{
    if (LIMIT)
        uv_timer_again(c->timer);
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    struct connection *c = handle->data;
    buffer->base = c->buffer;
    buffer->len = buffer_bytes;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer);

static void on_written(uv_write_t *write, int status)
{
    struct connection *c = write->handle->data;
    progress(c);
    if (status < 0 || uv_read_start(write->handle, give_buffer, on_read) < 0)
        finish(c);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct connection *c = stream->data;
    if (n == 0)
        return; /* nothing there, after all */
    if (n < 0) {
        finish(c); /* end of file or an error */
        return;
    }
    progress(c);
    uv_buf_t data = {.base = buffer->base, .len = n};
    int taken = uv_try_write(stream, &data, 1);
    if (taken == n)
        return;
    if (taken < 0 && taken != UV_EAGAIN) {
        finish(c);
        return;
    }
    uv_buf_t rest = taken < 0 ? data : uv_buf_init(data.base + taken, n - taken);
    uv_read_stop(stream);
    if (uv_write(&c->write, stream, &rest, 1, on_written) < 0)
        finish(c);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct connection *c = status < 0 ? NULL : malloc(sizeof *c + buffer_bytes);
    if (c == NULL)
        return;
    uv_tcp_init(listener->loop, &c->tcp);
    c->tcp.data = c;
    if (LIMIT) {
        uv_timer_init(listener->loop, c->timer);
        c->timer->data = c;
        uv_timer_start(c->timer, on_limit, PEER_LIMIT * 1000, PEER_LIMIT * 1000);
    }
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) < 0 || uv_tcp_nodelay(&c->tcp, 1) < 0 ||
        uv_read_start((uv_stream_t *)&c->tcp, give_buffer, on_read) < 0)
        finish(c);
}

int main(int argc, char **argv)
{
    struct peer_options options = peer_options(argc, argv, PEER_ONE_THREAD);
    buffer_bytes = options.buffer;
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t listener;
    struct sockaddr_in here;
    uv_ip4_addr("127.0.0.1", options.port, &here);
    uv_tcp_init(loop, &listener);
    int error = uv_tcp_bind(&listener, (struct sockaddr *)&here, 0);
    if (error == 0)
        error = uv_listen((uv_stream_t *)&listener, 4096, on_connection);
    if (error < 0)
        errx(1, "port %d: %s", options.port, uv_strerror(error));
    peer_ready();
    uv_run(loop, UV_RUN_DEFAULT);
}
