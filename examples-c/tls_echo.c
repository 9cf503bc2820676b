/* tls_echo [-m] [-s seconds] port certificate key: an echo server over TLS, with OpenSSL. Shows the two ways to put a
 * library for TLS on an ioevent pipe:
 *
 *   - OpenSSL makes its own system calls on the socket, and the pipe says when. IOEVENT_POLLONLY leaves read and write
 *     on that descriptor to libc; what SSL_read and SSL_write want becomes an ioevent_poll. No buffer waits in it, so
 *     this is the way for many idle connections.
 *   - With -m the library does the I/O, and OpenSSL sees two pieces of memory: what was read goes into one, what is to
 *     be written comes out of the other. This is the way where what carries the bytes is no socket of OpenSSL's.
 *
 * One thread, one pipe, one operation at a time on each connection. A connection on which nothing happens for so many
 * seconds (60) is closed. The files are PEM. SIGTERM ends the server. */
#include "example.h"

#include <fcntl.h>
#include <ioevent.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { CONNECTIONS = 1000, BATCH = 64, PIECE = 16384 };

/* What a connection waits for. */
enum want { INPUT, OUTPUT, NOTHING };

struct connection {
    SSL *ssl; /* NULL: this entry of the table is not in use */
    struct connection *next;
    int fd, closing;
    enum want queued;         /* which operation is outstanding */
    int length;               /* bytes of `text` that are to be sent back; 0: read more of it */
    char text[PIECE];
    char cipher[PIECE + 512]; /* with -m: what is read from the socket, or written to it */
};

static struct connection table[CONNECTIONS], *unused;
static SSL_CTX *context;
static int pipe_fd, listener, in_memory, idle_seconds = 60, accepting;
static char again; /* its address is the user pointer of the timer after which accept is called again */

/* Goes on with TLS until it needs the socket; the handshake is part of SSL_read. A client that never lets it come to
 * that has had its turn after some rounds: a socket that can be written to is ready at once, but others come first. */
static enum want run_tls(struct connection *c)
{
    for (int rounds = 0; rounds < 32; rounds++) {
        ERR_clear_error();
        int n = c->length > 0 ? SSL_write(c->ssl, c->text, c->length) : SSL_read(c->ssl, c->text, sizeof c->text);
        if (n > 0) {
            c->length = c->length > 0 ? 0 : n;
            continue;
        }
        switch (SSL_get_error(c->ssl, n)) {
        case SSL_ERROR_WANT_READ: return INPUT;
        case SSL_ERROR_WANT_WRITE: return OUTPUT;
        case SSL_ERROR_ZERO_RETURN: SSL_shutdown(c->ssl); return NOTHING; /* the client has said good-bye */
        default: return NOTHING; /* it has gone, or it does not speak TLS, and OpenSSL has answered with an alert */
        }
    }
    return OUTPUT;
}

/* Queues what it wants; false: the connection is over. */
static int start_polling(struct connection *c)
{
    c->queued = run_tls(c);
    return c->queued != NOTHING && ioevent_queued(ioevent_poll(c->fd, c->queued == INPUT ? POLLIN : POLLOUT));
}

/* The same in memory. What OpenSSL has to say is written first, since the client may wait for that: after the end, too.
 * A write is complete when all its bytes were taken. */
static int start_io(struct connection *c)
{
    if (!c->closing)
        c->closing = run_tls(c) == NOTHING;
    int n = BIO_read(SSL_get_wbio(c->ssl), c->cipher, sizeof c->cipher);
    c->queued = n > 0 ? OUTPUT : INPUT;
    if (n > 0)
        return ioevent_queued(ioevent_write(c->fd, c->cipher, (size_t)n));
    return !c->closing && ioevent_queued(ioevent_read(c->fd, c->cipher, sizeof c->cipher));
}

static void close_connection(struct connection *c)
{
    SSL_free(c->ssl);
    c->ssl = NULL;
    ioevent_close(c->fd); /* nothing is outstanding on it */
    c->next = unused;
    unused = c;
}

static void go_on(struct connection *c, const struct ioevent *event)
{
    /* -1 is an error, or the time was over; so is a part of what was to be written. 0: the client has gone. */
    int well = event->ioe_result > 0 && event->ioe_errno == 0;
    if (well && in_memory && c->queued == INPUT)
        well = BIO_write(SSL_get_rbio(c->ssl), c->cipher, event->ioe_result) == event->ioe_result;
    if (!well || !(in_memory ? start_io(c) : start_polling(c)))
        close_connection(c);
}

static int open_tls(struct connection *c)
{
    c->ssl = SSL_new(context);
    if (c->ssl == NULL)
        return 0;
    SSL_set_accept_state(c->ssl);
    if (!in_memory) /* O_NONBLOCK is for OpenSSL, which must not wait */
        return SSL_set_fd(c->ssl, c->fd) == 1 && fcntl(c->fd, F_SETFL, O_NONBLOCK) != -1 &&
               ioevent_fcntl(c->fd, F_SETIOEVENTFLAGS, IOEVENT_POLLONLY) != -1;
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    SSL_set_bio(c->ssl, in, out); /* they are its own now */
    return in != NULL && out != NULL;
}

static void accepted(const struct ioevent *event)
{
    accepting = 0;
    if (event->ioe_result == -1 && is_shortage(event->ioe_errno)) {
        struct ioevent_op op;
        ioevent_prep_timer(&op, pipe_fd, &(struct timespec){.tv_nsec = 100000000}, &again);
        accepting = ioevent_submit(&op, 1) == 1; /* it has the place of the accept */
    }
    if (event->ioe_result == -1)
        return;
    struct connection *c = unused; /* there is one, or no accept would have been queued */
    unused = c->next;
    c->fd = event->ioe_result;
    c->length = c->closing = 0;
    if (ioevent_fcntl(c->fd, F_SETIOEVENTPIPE, pipe_fd, c) == -1 ||
        ioevent_fcntl(c->fd, F_SETIOEVENTTIMEO, &(struct timespec){.tv_sec = idle_seconds}) == -1 || !open_tls(c) ||
        !(in_memory ? start_io(c) : start_polling(c)))
        close_connection(c);
}

static void open_context(const char *certificate, const char *key)
{
    context = SSL_CTX_new(TLS_server_method());
    if (context == NULL || SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        errx(1, "%s, %s: %s", certificate, key, ERR_error_string(ERR_get_error(), NULL));
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS); /* those of a connection that is idle */
}

int main(int argc, char **argv)
{
    static const char usage[] = "usage: tls_echo [-m] [-s seconds] port certificate key";
    int option;
    while ((option = getopt(argc, argv, ":ms:")) != -1) {
        if (option == 's')
            idle_seconds = number(optarg, 1, 86400);
        if ((option != 'm' && option != 's') || idle_seconds == -1)
            errx(2, "%s", usage);
        in_memory |= option == 'm';
    }
    int port = argc - optind == 3 ? number(argv[optind], 1, 65535) : -1;
    if (port == -1)
        errx(2, "%s", usage);
    open_context(argv[optind + 1], argv[optind + 2]);
    signal(SIGPIPE, SIG_IGN); /* the library sends none, but OpenSSL's own write(2) does */
    for (int i = 0; i < CONNECTIONS; i++) {
        table[i].next = unused;
        unused = &table[i];
    }
    struct signalfd_siginfo ending; /* its address is the user pointer of the signal's event */
    int signals = open_signals();
    listener = open_port(SOCK_STREAM, port);
    pipe_fd = ioeventpipe2(CONNECTIONS + 2, O_CLOEXEC); /* one for each, for accept and for the signal: never full */
    if (pipe_fd == -1 || ioevent_fcntl(listener, F_SETIOEVENTPIPE, pipe_fd, NULL) == -1 ||
        ioevent_fcntl(signals, F_SETIOEVENTPIPE, pipe_fd, &ending) == -1 ||
        !ioevent_queued(ioevent_read(signals, &ending, sizeof ending)))
        err(1, "ioeventpipe");

    for (int ended = 0; !ended;) {
        if (!accepting && unused != NULL)
            accepting = ioevent_queued(ioevent_accept4(listener, NULL, NULL, SOCK_CLOEXEC));
        struct ioevent events[BATCH];
        int n = ioevent_wait(pipe_fd, events, BATCH, NULL);
        if (n == -1 && errno != EINTR)
            err(1, "ioevent_wait");
        for (int i = 0; i < n; i++) {
            if (events[i].ioe_user == &ending)
                ended = 1;
            else if (events[i].ioe_user == &again)
                accepting = 0;
            else if (events[i].ioe_user == NULL)
                accepted(&events[i]);
            else
                go_on(events[i].ioe_user, &events[i]);
        }
    }
    ioevent_close(pipe_fd); /* nothing is outstanding any more */
    for (int i = 0; i < CONNECTIONS; i++)
        SSL_free(table[i].ssl); /* NULL is fine */
    SSL_CTX_free(context);
    close(signals);
    close(listener);
    return 0;
}
