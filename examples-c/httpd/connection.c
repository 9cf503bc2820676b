/* connection.c: one client, from accept to close. A step that answers true has queued an operation, and must be the
 * last; one that answers false wants the connection closed. */
#define _GNU_SOURCE 1
#include "connection.h"

#include <limits.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

enum {
    INPUT_SMALL = 2048,  /* what an idle connection reads into; it grows up to REQUEST_HEAD_MAX */
    BODY_MAX = 65536,    /* a longer request body is not read, but costs the connection */
    LINGER_SECONDS = 2,
};

static void set_deadline(struct connection *c, int seconds)
{
    /* Relaxed: the sweep may well see it late, since who is nudged looks again. */
    atomic_store_explicit(&c->deadline, server_now() + 1000 * (int64_t)seconds, memory_order_relaxed);
}

static bool is_due(const struct connection *c)
{
    return server_now() >= atomic_load_explicit(&c->deadline, memory_order_relaxed);
}

static bool was_nudged(const struct ioevent *event)
{
    return event->ioe_result == -1 && event->ioe_errno == ECANCELED;
}

/* The Common Log Format. What the client sent is shown without quotes or control characters of its own. */
static void log_response(const struct connection *c)
{
    char date[64];
    time_t now = time(NULL);
    struct tm local;
    if (localtime_r(&now, &local) == NULL || strftime(date, sizeof date, "%d/%b/%Y:%H:%M:%S %z", &local) == 0)
        date[0] = '\0';
    struct text line = {0};
    text_format(&line, "%s - - [%s] \"", c->peer, date);
    if (c->input.length == 0)
        text_add(&line, "-");
    for (size_t i = 0; i < c->input.length && memchr("\r\n", c->input.bytes[i], 3) == NULL; i++) { /* 3: or NUL */
        unsigned char byte = (unsigned char)c->input.bytes[i];
        bool plain = byte >= ' ' && byte < 127 && byte != '"' && byte != '\\';
        text_format(&line, plain ? "%c" : "\\x%02X", byte);
    }
    long long body = c->total_sent - (long long)c->response.head_length;
    text_format(&line, "\" %d %lld\n", c->response.status, body > 0 ? body : 0);
    if (!line.failed)
        fwrite(line.bytes, 1, line.length, stdout); /* whole, so that lines of several threads do not mix */
    text_free(&line);
}

/* The response went out, or the connection broke. Makes room for the next request. */
static void end_response(struct connection *c)
{
    if (c->source.server->settings.log)
        log_response(c);
    response_free(&c->response);
    text_drop(&c->input, c->head);
    c->head = 0;
    c->seen = 0;
}

static bool send_more(struct connection *c)
{
    c->state = SENDING;
    return ioevent_queued(ioevent_write(c->fd, c->response.out.bytes + c->sent, c->response.out.length - c->sent));
}

static bool start_sending(struct connection *c)
{
    if (c->response.out.failed)
        return false;
    c->sent = 0;
    c->total_sent = 0;
    c->unacknowledged = INT_MAX;
    set_deadline(c, c->source.server->settings.stall_seconds);
    return send_more(c);
}

/* Answers what could not be understood, or will not be done, and gives the connection up. */
static bool refuse(struct connection *c, int status)
{
    const struct request unknown = {.method = METHOD_GET, .minor = 1};
    response_error(&c->response, &unknown, status);
    return start_sending(c);
}

/* Answers the request in the first `head` bytes of the input. */
static bool answer(struct connection *c, size_t head)
{
    struct request request;
    int status = request_parse(&request, c->input.bytes, head);
    /* Who expects to be told "100 Continue" may send the body now or not: where the next request begins is unknown. */
    if (request.body_length > BODY_MAX || (request.body_length > 0 && request.expects_continue))
        request.keep_alive = false;
    if (server_is_stopping(c->source.server))
        request.keep_alive = false;
    c->head = head;
    c->skip = request.body_length;
    c->in_request = false;
    if (status == 0)
        response_choose(&c->response, &request, c->source.server->root);
    else
        response_error(&c->response, &request, status);
    return start_sending(c);
}

/* Waits for more of the request, or for its first byte. */
static bool read_more(struct connection *c)
{
    const struct settings *settings = &c->source.server->settings;
    bool idle = c->input.length == 0 && c->skip == 0;
    c->state = READING;
    if (idle)
        set_deadline(c, settings->idle_seconds);
    else if (!c->in_request) /* only once, lest a byte now and then keep the connection for ever */
        set_deadline(c, settings->request_seconds);
    c->in_request = !idle;

    if (idle && c->input.room > INPUT_SMALL)
        text_free(&c->input);
    if (c->input.length == c->input.room && !text_reserve(&c->input, c->input.room > 0 ? c->input.room : INPUT_SMALL))
        return false;
    return ioevent_queued(ioevent_read(c->fd, c->input.bytes + c->input.length, c->input.room - c->input.length));
}

/* Skips the body of the last request, and empty lines, which old clients send behind it. */
static void skip_to_request(struct connection *c)
{
    size_t count = c->skip < (long long)c->input.length ? (size_t)c->skip : c->input.length;
    c->skip -= (long long)count;
    while (c->skip == 0 && count < c->input.length && (c->input.bytes[count] == '\r' || c->input.bytes[count] == '\n'))
        count++;
    if (count > 0) {
        text_drop(&c->input, count);
        c->seen = 0;
    }
}

/* Answers the next request if it is here, whole. Otherwise waits for it. */
static bool next_request(struct connection *c)
{
    skip_to_request(c);
    const char *bytes = c->input.bytes;
    size_t length = c->input.length;
    if (length == 0)
        return read_more(c);
    size_t head = request_head_length(bytes, length, c->seen);
    if (head > 0)
        return answer(c, head);
    c->seen = length;
    if (length > REQUEST_LINE_MAX && memchr(bytes, '\n', length) == NULL)
        return refuse(c, 414);
    if (length >= REQUEST_HEAD_MAX)
        return refuse(c, 431);
    return read_more(c);
}

static bool after_reading(struct connection *c, const struct ioevent *event)
{
    if (was_nudged(event)) {
        if (server_is_stopping(c->source.server))
            return false;
        if (!is_due(c))
            return read_more(c);
        return c->in_request && c->skip == 0 ? refuse(c, 408) : false;
    }
    if (event->ioe_result <= 0) /* the client has closed, or is gone */
        return false;
    c->input.length += (size_t)event->ioe_result;
    return next_request(c);
}

/* Throws away what the client still sends. */
static bool read_away(struct connection *c)
{
    c->state = LINGERING;
    c->input.length = 0;
    if (!text_reserve(&c->input, INPUT_SMALL))
        return false;
    return ioevent_queued(ioevent_read(c->fd, c->input.bytes, c->input.room));
}

/* Says that nothing more comes, and waits for the client to close. Closing at once, with something unread, would send a
 * reset, and a reset may overtake the response. It is the connection's one operation, like any other: where
 * libioevent_posix.so is preloaded a plain shutdown would have an event too. */
static bool start_lingering(struct connection *c)
{
    c->state = SHUTTING;
    set_deadline(c, LINGER_SECONDS);
    return ioevent_queued(ioevent_shutdown(c->fd, SHUT_WR));
}

/* Whether or not the client is still connected, which the next read tells. */
static bool after_shutdown(struct connection *c)
{
    return !server_is_stopping(c->source.server) && read_away(c);
}

static bool after_lingering(struct connection *c, const struct ioevent *event)
{
    bool more = event->ioe_result > 0 || was_nudged(event);
    return more && !is_due(c) && !server_is_stopping(c->source.server) && read_away(c);
}

/* Nothing could be written for a while. Answers whether the client takes data all the same: the buffer of the socket
 * may be large, and counts as writable only when a good part of it is free. */
static bool client_takes_data(struct connection *c)
{
    int unacknowledged;
    if (ioctl(c->fd, SIOCOUTQ, &unacknowledged) == -1)
        return false;
    bool progress = unacknowledged < c->unacknowledged; /* the first time yes: there is nothing to compare with */
    c->unacknowledged = unacknowledged;
    return progress;
}

static bool after_sending(struct connection *c, const struct ioevent *event)
{
    const struct settings *settings = &c->source.server->settings;
    if (was_nudged(event)) {
        if (!is_due(c))
            return send_more(c);
        if (client_takes_data(c)) {
            set_deadline(c, settings->stall_seconds);
            return send_more(c);
        }
        /* Closed in the ordinary way, the kernel would go on trying to deliver what is in the buffer. */
        const struct linger reset = {.l_onoff = 1, .l_linger = 0};
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        return false;
    }
    if (event->ioe_result <= 0)
        return false;
    c->sent += (size_t)event->ioe_result;
    c->total_sent += event->ioe_result;
    c->unacknowledged = INT_MAX;
    set_deadline(c, settings->stall_seconds);
    if (c->sent < c->response.out.length) /* nudged when part of it was taken */
        return send_more(c);

    int more = response_continue(&c->response);
    if (more == 1) {
        c->sent = 0;
        return send_more(c);
    }
    if (more == -1)
        return false;
    bool keep_alive = c->response.keep_alive;
    end_response(c);
    return keep_alive && !server_is_stopping(c->source.server) ? next_request(c) : start_lingering(c);
}

static void close_connection(struct connection *c)
{
    if (c->state == SENDING)
        end_response(c);
    server_remove(c->source.server, c);
    response_free(&c->response);
    text_free(&c->input);
    free(c);
}

static void handle(struct source *self, const struct ioevent *event)
{
    struct connection *c = (struct connection *)self;
    bool goes_on = false;
    if (server_now() < atomic_load(&c->source.server->stop_at)) {
        switch (c->state) {
        case READING: goes_on = after_reading(c, event); break;
        case SENDING: goes_on = after_sending(c, event); break;
        case SHUTTING: goes_on = after_shutdown(c); break;
        case LINGERING: goes_on = after_lingering(c, event); break;
        }
    }
    if (!goes_on)
        close_connection(c);
}

struct connection *connection_new(struct server *server, int fd, const struct sockaddr_storage *peer)
{
    struct connection *c = calloc(1, sizeof *c);
    if (c == NULL || ioevent_fcntl(fd, F_SETIOEVENTPIPE, server->pipe, c) == -1) {
        int saved = errno;
        free(c);
        ioevent_close(fd);
        errno = saved;
        return NULL;
    }
    c->source = (struct source){.handle = handle, .server = server};
    c->fd = fd;
    c->response.file = -1;
    set_deadline(c, server->settings.idle_seconds);
    if (server->settings.log)
        getnameinfo((const struct sockaddr *)peer, sizeof *peer, c->peer, sizeof c->peer, NULL, 0, NI_NUMERICHOST);
    return c;
}

void connection_start(struct connection *c, bool welcome)
{
    if (!(welcome ? next_request(c) : refuse(c, 503)))
        close_connection(c);
}
