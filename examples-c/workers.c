/* workers [port [threads]]: a pool of workers that harvest one pipe, and how all of them stop. A client sends a number
 * in a line and gets its smallest prime factor, which takes a worker a moment to find; the others go on meanwhile.
 *
 * SIGTERM drains: no new connection is taken, whoever waits for an answer gets it, a connection that is only waited
 * for is closed, and when the last one is gone, one event is posted that ends the workers: each that harvests it posts
 * it again for the next, and returns. (One event for each would not do: a single worker might harvest them all.)
 *
 * A connection has one operation outstanding at a time, and the worker that harvests its event owns it until the next
 * one is queued; so it needs no lock. The list of connections does. */
#include "example.h"

#include <fcntl.h>
#include <ioevent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    CONNECTIONS = 1000,
    MOST_THREADS = 256,
    BATCH = 4,   /* few: what one worker has harvested, no other can do for it */
    LIMIT = 30,  /* seconds for a client to send a line, or to take an answer; so draining takes no longer */
};

struct connection {
    int fd;        /* -1: this entry of the table is not in use; changes under the lock */
    int writing;
    size_t length; /* of the line, as far as it is here */
    char text[64];
};

static struct connection table[CONNECTIONS];
static int pipe_fd, listener, signals;
static struct signalfd_siginfo signal_info;
static char signalled, again, quit; /* their addresses are user pointers: what the event is of */
static atomic_int draining;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for these, and for which entries are in use: */
static int connections, accepting, ended;

/* Queues an accept if there is none, and an entry for who comes. Called with the lock held. */
static void accept_next(void)
{
    if (!accepting && !draining && connections < CONNECTIONS)
        accepting = ioevent_queued(ioevent_accept4(listener, NULL, NULL, SOCK_CLOEXEC));
}

/* Ends the workers when all is drained. Called with the lock held. */
static void end_if_drained(void)
{
    const struct ioevent event = {.ioe_user = &quit};
    if (!draining || accepting || connections > 0 || ended)
        return;
    ended = 1;
    if (ioevent_write(pipe_fd, &event, sizeof event) != sizeof event) /* it has a place of its own */
        err(1, "post");
}

static void close_connection(struct connection *c)
{
    pthread_mutex_lock(&lock);
    ioevent_close(c->fd); /* nothing is outstanding on it */
    c->fd = -1;
    connections--;
    accept_next();
    end_if_drained();
    pthread_mutex_unlock(&lock);
}

/* Reads more of the line. */
static void read_line(struct connection *c)
{
    int fd = c->fd;
    c->writing = 0;
    if (!ioevent_queued(ioevent_read(fd, c->text + c->length, sizeof c->text - c->length)))
        close_connection(c);
    else if (draining) /* since a moment ago, and drain() may have looked before the read was there */
        ioevent_cancel2(fd, IOEVENT_CANCEL_IN, NULL);
}

static unsigned long long smallest_factor(unsigned long long n)
{
    for (unsigned long long i = 2; i * i <= n; i++)
        if (n % i == 0)
            return i;
    return n;
}

/* Answers the line, if it is whole, with what the worker has found. What comes behind it is dropped: a client sends its
 * next number when it has the answer. */
static void answer(struct connection *c)
{
    char *end = memchr(c->text, '\n', c->length), *rest;
    if (end == NULL && c->length < sizeof c->text) {
        read_line(c);
        return;
    }
    unsigned long long n = 0;
    if (end != NULL) {
        *end = '\0';
        n = strtoull(c->text, &rest, 10);
        if (rest == c->text || (*rest != '\0' && *rest != '\r') || n > 1000000000000000)
            n = 0;
    }
    int length = n < 2 ? snprintf(c->text, sizeof c->text, "a number from 2 to 1000000000000000, please\n")
                       : snprintf(c->text, sizeof c->text, "%llu\n", smallest_factor(n));
    c->length = 0;
    c->writing = 1;
    if (!ioevent_queued(ioevent_write(c->fd, c->text, (size_t)length)))
        close_connection(c);
}

static void go_on(struct connection *c, const struct ioevent *event)
{
    /* 0: the client has closed. An errno beside a result: its time was over, or it was cancelled. */
    if (event->ioe_result <= 0 || event->ioe_errno != 0) {
        close_connection(c);
    } else if (!c->writing) {
        c->length += (size_t)event->ioe_result;
        answer(c);
    } else if (draining) {
        close_connection(c);
    } else {
        read_line(c);
    }
}

static void accepted(const struct ioevent *event)
{
    struct connection *c = NULL;
    pthread_mutex_lock(&lock);
    accepting = 0;
    if (event->ioe_result >= 0) {
        for (c = table; c->fd != -1; c++) /* there is one, or no accept would have been queued */
            ;
        *c = (struct connection){.fd = event->ioe_result};
        connections++;
    } else if (is_shortage(event->ioe_errno) && !draining) { /* in a moment there may be a descriptor */
        struct ioevent_op op;
        ioevent_prep_timer(&op, pipe_fd, &(struct timespec){.tv_nsec = 100000000}, &again);
        accepting = ioevent_submit(&op, 1) == 1; /* it has the place of the accept */
    }
    accept_next();
    end_if_drained();
    pthread_mutex_unlock(&lock);

    if (c == NULL)
        return;
    if (ioevent_fcntl(c->fd, F_SETIOEVENTPIPE, pipe_fd, c) == -1 ||
        ioevent_fcntl(c->fd, F_SETIOEVENTTIMEO, &(struct timespec){.tv_sec = LIMIT}) == -1)
        close_connection(c);
    else
        read_line(c);
}

static void waited(void)
{
    pthread_mutex_lock(&lock);
    accepting = 0;
    accept_next();
    end_if_drained();
    pthread_mutex_unlock(&lock);
}

/* SIGTERM or SIGINT. Ends the accept and all reads; their events, with ECANCELED, do the rest. Writes go on. */
static void drain(void)
{
    draining = 1;
    pthread_mutex_lock(&lock);
    ioevent_close(listener);
    ioevent_cancel(pipe_fd); /* the timer, if it runs in place of the accept */
    for (struct connection *c = table; c < table + CONNECTIONS; c++)
        if (c->fd != -1)
            ioevent_cancel2(c->fd, IOEVENT_CANCEL_IN, NULL);
    end_if_drained();
    pthread_mutex_unlock(&lock);
}

static void *work(void *unused)
{
    for (;;) {
        struct ioevent events[BATCH];
        int n = ioevent_wait(pipe_fd, events, BATCH, NULL), last = 0;
        if (n == -1 && errno != EINTR)
            err(1, "ioevent_wait");
        for (int i = 0; i < n; i++) {
            const void *user = events[i].ioe_user;
            if (user == &quit)
                last = ioevent_write(pipe_fd, &events[i], sizeof events[i]) == sizeof events[i];
            else if (user == NULL)
                accepted(&events[i]);
            else if (user == &again)
                waited();
            else if (user == &signalled)
                drain();
            else
                go_on(events[i].ioe_user, &events[i]);
        }
        if (last)
            return unused;
    }
}

int main(int argc, char **argv)
{
    pthread_t others[MOST_THREADS];
    int port = argc < 2 ? 7777 : number(argv[1], 1, 65535), threads = argc < 3 ? 4 : number(argv[2], 1, MOST_THREADS);
    if (argc > 3 || port == -1 || threads == -1)
        errx(2, "usage: workers [port [threads]], from 1 to 65535 and to %d", MOST_THREADS);
    for (int i = 0; i < CONNECTIONS; i++)
        table[i].fd = -1;
    signals = open_signals();
    listener = open_port(SOCK_STREAM, port);
    pipe_fd = ioeventpipe2(CONNECTIONS + 3, O_CLOEXEC); /* and accept, the signal and the event that ends the workers */
    if (pipe_fd == -1 || ioevent_fcntl(listener, F_SETIOEVENTPIPE, pipe_fd, NULL) == -1 ||
        ioevent_fcntl(signals, F_SETIOEVENTPIPE, pipe_fd, &signalled) == -1 ||
        !ioevent_queued(ioevent_read(signals, &signal_info, sizeof signal_info)))
        err(1, "ioeventpipe");
    accept_next();
    for (int i = 1; i < threads; i++)
        if ((errno = pthread_create(&others[i], NULL, work, NULL)) != 0)
            err(1, "cannot start a thread");
    work(NULL);
    for (int i = 1; i < threads; i++)
        pthread_join(others[i], NULL);
    ioevent_close(pipe_fd);
    close(signals);
    return 0;
}
