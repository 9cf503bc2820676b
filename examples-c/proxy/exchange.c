/* exchange.c: one exchange between a client and the server that it wants: the request, the name, the connection, and
 * then the bytes, which do not come into the program. */
#define _GNU_SOURCE 1
#include "exchange.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "request.h"
#include "resolver.h"

enum { PIECE = 65536, CONNECT_SECONDS = 10, LINGER_SECONDS = 2 };

/* Bytes go one way: first those of the program's own memory, if there are any, then from socket to socket. */
struct way {
    struct source source; /* first, so that a pointer to it is a pointer to the way */
    struct exchange *x;
    enum { SENDING, FILLING, DRAINING, SHUTTING, OVER } state;
    int from, to, pipe[2];
    const char *memory;
    size_t inside;  /* bytes that are in `memory`, or in the kernel pipe */
    long long left; /* how many may still be read from the socket; -1: all there are */
};

/* A client, and the server it wants. */
struct exchange {
    struct source source; /* likewise */
    struct exchange *next;
    enum { READING, RESOLVING, CONNECTING, MOVING, REFUSING, LINGERING } state;
    int client, server, outstanding;
    bool broken;
    long long active; /* when a byte was moved last; of a head, when the client came */
    struct resolution names;
    const struct addrinfo *address; /* that is tried */
    struct way ways[2];             /* from the client, from the server */
    size_t length;                  /* of what is in `bytes` */
    char bytes[HEAD_MAX];
    struct request request;
};

static struct exchange *table, *unused;
static int pipe_fd, seconds;

/* Milliseconds. */
static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

/* Gives everything back when no event is to come any more. */
static void end_if_done(struct exchange *x)
{
    if (!x->broken || x->outstanding > 0)
        return;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            if (x->ways[i].pipe[j] != -1)
                close(x->ways[i].pipe[j]);
    if (x->names.found != NULL)
        freeaddrinfo(x->names.found);
    x->next = unused;
    unused = x;
}

/* Ends the exchange: what is outstanding gives its event, with ECANCELED, and then it is done. */
static void break_off(struct exchange *x)
{
    if (!x->broken) {
        x->broken = true;
        ioevent_close(x->client);
        if (x->server != -1)
            ioevent_close(x->server);
    }
}

/* Queues an operation of an exchange; how long it may take is seconds, or what the operation says. */
static void queue(struct exchange *x, struct ioevent_op *op)
{
    if (op->ioo_timeout.tv_sec == 0 && op->ioo_timeout.tv_nsec == 0)
        op->ioo_timeout.tv_sec = seconds;
    if (ioevent_submit(op, 1) == 1)
        x->outstanding++;
    else
        break_off(x);
}

/* Reads more of a request, or of what is thrown away. */
static void read_more(struct exchange *x)
{
    struct ioevent_op op;
    long long left = x->active + (x->state == READING ? seconds : LINGER_SECONDS) * 1000LL - now();
    if (left <= 0) {
        break_off(x);
        return;
    }
    ioevent_prep_read(&op, x->client, x->bytes + x->length, sizeof x->bytes - x->length, &x->source);
    /* For all of it, lest a byte now and then keep the connection for ever. */
    op.ioo_timeout = (struct timespec){left / 1000, left % 1000 * 1000000};
    queue(x, &op);
}

/* Throws away what the client still sends, until it closes: closing before, with something unread, would send a reset,
 * which may overtake the response. */
static void linger(struct exchange *x)
{
    x->state = LINGERING;
    x->active = now();
    x->length = 0;
    read_more(x);
}

/* ---- the bytes ---- */

static void fill(struct way *w)
{
    struct ioevent_op op;
    size_t most = w->left >= 0 && w->left < PIECE ? (size_t)w->left : PIECE;
    w->state = most > 0 ? FILLING : OVER;
    if (most == 0)
        return;
    ioevent_prep_splice(&op, w->from, -1, w->pipe[1], -1, most, 0, &w->source);
    queue(w->x, &op);
}

static void send_on(struct way *w)
{
    struct ioevent_op op;
    if (w->state == SENDING)
        ioevent_prep_write(&op, w->to, w->memory, w->inside, &w->source);
    else
        ioevent_prep_splice(&op, w->pipe[0], -1, w->to, -1, w->inside, 0, &w->source);
    queue(w->x, &op);
}

static void start_way(struct way *w, const char *memory, size_t length, long long left)
{
    w->memory = memory;
    w->inside = length;
    w->left = left;
    w->state = SENDING;
    if (length > 0)
        send_on(w);
    else
        fill(w);
}

/* The end of what is read goes on to the other side, whose answer may still come: a half-close. */
static void pass_end_on(struct way *w)
{
    struct ioevent_op op;
    w->state = SHUTTING;
    ioevent_prep_shutdown(&op, w->to, SHUT_WR, &w->source);
    queue(w->x, &op);
}

/* Both ends have come, or the response is complete. */
static void end_moving(struct exchange *x)
{
    if (x->ways[0].state == OVER)
        linger(x);
    else
        break_off(x); /* the client sends a body that its server did not wait for */
}

static void move_on(struct way *w, const struct ioevent *event)
{
    struct exchange *x = w->x;
    int moved = event->ioe_result;
    if (moved > 0)
        x->active = now();
    if (moved == -1 && event->ioe_errno == ETIMEDOUT && now() - x->active < seconds * 1000LL) {
        if (w->state == FILLING) /* it was quiet because the other way was busy */
            fill(w);
        else
            send_on(w);
    } else if (moved == -1 && w == &x->ways[0] && w->state != FILLING) {
        w->state = OVER; /* the server wants no more; what it has answered may still be on its way */
    } else if (moved == -1) {
        break_off(x);
    } else if (w->state == FILLING && moved == 0) {
        pass_end_on(w);
    } else if (w->state == FILLING) {
        w->state = DRAINING;
        w->inside = (size_t)moved;
        if (w->left > 0)
            w->left -= moved;
        send_on(w);
    } else if (w->state == SHUTTING) {
        w->state = OVER;
    } else {
        w->memory += w->state == SENDING ? moved : 0;
        w->inside -= (size_t)moved;
        if (w->inside > 0)
            send_on(w);
        else
            fill(w);
    }
    if (x->ways[1].state == OVER && !x->broken && (x->ways[0].state == OVER || !x->request.tunnel))
        end_moving(x);
}

static void handle_way(struct source *self, const struct ioevent *event)
{
    struct way *w = (struct way *)self;
    w->x->outstanding--;
    if (!w->x->broken)
        move_on(w, event);
    end_if_done(w->x);
}

/* ---- before there are two sides ---- */

static void refuse(struct exchange *x, int status)
{
    static const struct { int status; const char *text; } texts[] = {
        {400, "Bad Request"}, {408, "Request Timeout"}, {431, "Request Header Fields Too Large"},
        {501, "Not Implemented"}, {502, "Bad Gateway"}, {503, "Service Unavailable"}, {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"}};
    const char *text = "";
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].status == status)
            text = texts[i].text;
    struct ioevent_op op;
    int length = snprintf(x->request.head, sizeof x->request.head,
                          "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: text/plain\r\n"
                          "Content-Length: %zu\r\n\r\n%s\n", status, text, strlen(text) + 1, text);
    x->state = REFUSING;
    ioevent_prep_write(&op, x->client, x->request.head, (size_t)length, &x->source);
    queue(x, &op);
}

static void start_moving(struct exchange *x)
{
    static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    struct way *up = &x->ways[0], *down = &x->ways[1];
    for (int i = 0; i < 2; i++)
        if (pipe2(x->ways[i].pipe, O_CLOEXEC) == -1) {
            x->ways[i].pipe[0] = x->ways[i].pipe[1] = -1;
            refuse(x, 503); /* no descriptor is left */
            return;
        }
    up->from = down->to = x->client;
    up->to = down->from = x->server;
    x->state = MOVING;
    if (x->request.tunnel) {
        start_way(up, x->bytes, x->length, -1); /* a client may have gone on without waiting for the answer */
        start_way(down, established, sizeof established - 1, -1);
        return;
    }
    /* Behind the head comes as much of the body as is here; what is behind that is none of this server's. */
    size_t body = (long long)x->length < x->request.body ? x->length : (size_t)x->request.body;
    if (x->request.head_length + body > sizeof x->request.head) {
        refuse(x, 431);
        return;
    }
    memcpy(x->request.head + x->request.head_length, x->bytes, body);
    start_way(up, x->request.head, x->request.head_length + body, x->request.body - (long long)body);
    start_way(down, NULL, 0, -1);
}

/* Tries the next address of the server; `status` is what the client is told when there is none. */
static void connect_next(struct exchange *x, int status)
{
    for (; x->address != NULL; x->address = x->address->ai_next) {
        const struct addrinfo *a = x->address;
        struct ioevent_op op;
        x->server = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (x->server == -1) {
            status = errno == EMFILE || errno == ENFILE ? 503 : status;
            continue;
        }
        setsockopt(x->server, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        if (ioevent_fcntl(x->server, F_SETIOEVENTPIPE, pipe_fd, NULL) == 0) {
            x->state = CONNECTING;
            ioevent_prep_connect(&op, x->server, a->ai_addr, &a->ai_addrlen, &x->source);
            op.ioo_timeout.tv_sec = CONNECT_SECONDS;
            queue(x, &op);
            return;
        }
        ioevent_close(x->server);
        x->server = -1;
    }
    refuse(x, status);
}

/* Answers what has come of a request, if its head is whole. */
static void read_request(struct exchange *x)
{
    size_t head = request_head_length(x->bytes, x->length);
    if (head == 0) {
        if (x->length < sizeof x->bytes)
            read_more(x);
        else
            refuse(x, 431);
        return;
    }
    int status = request_parse(&x->request, x->bytes, head);
    x->length -= head;
    memmove(x->bytes, x->bytes + head, x->length); /* what is behind the head */
    if (status != 0) {
        refuse(x, status);
        return;
    }
    x->state = RESOLVING;
    x->names = (struct resolution){.host = x->request.host, .port = x->request.port, .user = &x->source};
    resolver_start(&x->names);
    x->outstanding++; /* the event that it posts has the place of an operation */
}

static void go_on(struct exchange *x, const struct ioevent *event)
{
    int result = event->ioe_result;
    switch (x->state) {
    case READING:
        if (result > 0) {
            x->length += (size_t)result;
            read_request(x);
        } else if (result == -1 && event->ioe_errno == ETIMEDOUT && x->length > 0) {
            refuse(x, 408);
        } else {
            break_off(x);
        }
        break;
    case RESOLVING: /* what getaddrinfo has returned */
        x->address = result == 0 ? x->names.found : NULL;
        connect_next(x, 502);
        break;
    case CONNECTING:
        if (result == 0) {
            x->active = now();
            start_moving(x);
        } else {
            ioevent_close(x->server);
            x->server = -1;
            x->address = x->address->ai_next;
            connect_next(x, event->ioe_errno == ETIMEDOUT ? 504 : 502);
        }
        break;
    case REFUSING:
        shutdown(x->client, SHUT_WR);
        linger(x);
        break;
    case LINGERING:
        if (result > 0)
            read_more(x);
        else
            break_off(x);
        break;
    case MOVING: /* the ways have the events */
        break;
    }
}

static void handle_exchange(struct source *self, const struct ioevent *event)
{
    struct exchange *x = (struct exchange *)self;
    x->outstanding--;
    if (!x->broken)
        go_on(x, event);
    end_if_done(x);
}

/* ---- what the loop sees ---- */

void exchange_open(int pipe, int count, int seconds_of_each)
{
    pipe_fd = pipe;
    seconds = seconds_of_each;
    table = calloc((size_t)count, sizeof *table); /* memory that is not touched costs nothing */
    if (table == NULL)
        err(1, "memory");
    for (int i = count - 1; i >= 0; i--) {
        table[i].next = unused;
        unused = &table[i];
    }
}

bool exchange_has_room(void)
{
    return unused != NULL;
}

void exchange_start(int client)
{
    struct exchange *x = unused;
    unused = x->next;
    x->source.handle = handle_exchange;
    x->state = READING;
    x->client = client;
    x->server = -1;
    x->outstanding = 0;
    x->broken = false;
    x->active = now();
    x->names.found = NULL;
    x->length = 0;
    for (int i = 0; i < 2; i++)
        x->ways[i] = (struct way){.source.handle = handle_way, .x = x, .pipe = {-1, -1}};
    if (ioevent_fcntl(x->client, F_SETIOEVENTPIPE, pipe_fd, NULL) == 0)
        read_more(x);
    else
        break_off(x);
    end_if_done(x);
}
