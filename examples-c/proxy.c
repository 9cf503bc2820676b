/* proxy [-c connections] [-s seconds] port: an HTTP proxy on 127.0.0.1. It makes a tunnel for CONNECT, as browsers want
 * it for https, and forwards any other request for http://host/path. The bytes do not come into the program:
 * ioevent_splice moves them from one socket into a kernel pipe, and from there into the other socket.
 *
 * This file accepts, and has the loop. proxy/exchange.c is what happens between a client and a server, with all calls
 * that move bytes. No name is looked up in the loop, since getaddrinfo waits: proxy/resolver.c does that in threads of
 * its own, and posts the result to the pipe, where it is harvested like any other event. proxy/request.c knows HTTP,
 * and nothing of libioevent.
 *
 * Limits: so many connections at a time (1000; others wait in the kernel), HEAD_MAX bytes and so many seconds (60) for
 * the head of a request, as many seconds without any byte in either direction, CONNECT_SECONDS for each address of a
 * server. */
#include "example.h"

#include <fcntl.h>
#include <ioevent.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proxy/exchange.h"
#include "proxy/resolver.h"

enum { BATCH = 64 };

static int pipe_fd, listener;
static bool accepting, ended;
static struct source on_accept, on_retry, on_signal;
static struct signalfd_siginfo signal_info;

static void accept_next(void)
{
    if (!accepting && exchange_has_room())
        accepting = ioevent_queued(ioevent_accept4(listener, NULL, NULL, SOCK_CLOEXEC));
}

static void handle_accept(struct source *self, const struct ioevent *event)
{
    (void)self;
    accepting = false;
    if (event->ioe_result == -1 && is_shortage(event->ioe_errno)) {
        struct ioevent_op op;
        ioevent_prep_timer(&op, pipe_fd, &(struct timespec){.tv_nsec = 100000000}, &on_retry);
        accepting = ioevent_submit(&op, 1) == 1; /* it has the place of the accept */
    }
    if (event->ioe_result == -1)
        return;
    exchange_start(event->ioe_result);
}

static void handle_retry(struct source *self, const struct ioevent *event)
{
    (void)self;
    (void)event;
    accepting = false;
}

static void handle_signal(struct source *self, const struct ioevent *event)
{
    (void)self;
    (void)event;
    ended = true;
}

/* An exchange has six descriptors: two sockets and two pipes. Without so many there is a 503 now and then. */
static void provide_descriptors(int connections)
{
    struct rlimit limit;
    rlim_t needed = (rlim_t)connections * 6 + 100;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < needed) {
        limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    static const char usage[] = "usage: proxy [-c connections] [-s seconds] port";
    int option, connections = 1000, seconds = 60;
    while ((option = getopt(argc, argv, ":c:s:")) != -1) {
        int n = option == 'c' ? number(optarg, 1, 100000) : option == 's' ? number(optarg, 1, 86400) : -1;
        if (n == -1)
            errx(2, "%s", usage);
        *(option == 'c' ? &connections : &seconds) = n;
    }
    int port = argc - optind == 1 ? number(argv[optind], 1, 65535) : -1;
    if (port == -1)
        errx(2, "%s", usage);
    provide_descriptors(connections);
    on_accept.handle = handle_accept;
    on_retry.handle = handle_retry;
    on_signal.handle = handle_signal;
    int signals = open_signals();
    listener = open_port(SOCK_STREAM, port);
    pipe_fd = ioeventpipe2(2 * connections + 2, O_CLOEXEC); /* one operation each way; accept; signal: never full */
    if (pipe_fd == -1 || ioevent_fcntl(listener, F_SETIOEVENTPIPE, pipe_fd, &on_accept) == -1 ||
        ioevent_fcntl(signals, F_SETIOEVENTPIPE, pipe_fd, &on_signal) == -1 ||
        !ioevent_queued(ioevent_read(signals, &signal_info, sizeof signal_info)))
        err(1, "ioeventpipe");
    exchange_open(pipe_fd, connections, seconds);
    resolver_open(pipe_fd);

    while (!ended) {
        accept_next();
        struct ioevent events[BATCH];
        int n = ioevent_wait(pipe_fd, events, BATCH, NULL);
        if (n == -1 && errno != EINTR)
            err(1, "ioevent_wait");
        for (int i = 0; i < n; i++) {
            struct source *source = events[i].ioe_user;
            source->handle(source, &events[i]);
        }
    }
    ioevent_close(pipe_fd); /* all that is outstanding has ended; the kernel closes the rest */
    return 0;
}
