/* plain-pool [port [threads]]: plain.c with several threads that read one pipe. Each event goes to one of them, and a
 * connection has one operation outstanding at a time, so no two threads handle it at once, and it needs no lock.
 *
 * Here a place that one thread has freed may be taken by another before the first comes to it. So a full pipe is made
 * larger, and the call made again; as many clients are served as there can be descriptors. */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ioevent.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PLACES = 64, BATCH = 16, MOST_THREADS = 256 };

struct connection {
    int fd, writing;
    char buffer[4096]; /* belongs to the operation that is outstanding, until its event has been read */
};

static int pipe_fd, listener;
static const char ending = 0; /* its address is the user pointer of the event that ends the threads */

/* When there was no descriptor for one more connection, accept is called again as soon as one has been closed. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for these: */
static int connections;     /* how many are open */
static int closed, waiting; /* one was closed since accept was queued; accept waits for that */

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* Whether a call is to be made again: the pipe was full, and is larger now. */
static int has_room_now(void)
{
    if (errno != EIOEVENTFULL)
        return 0;
    return fcntl(pipe_fd, F_SETIOEVENTSZ, 2 * fcntl(pipe_fd, F_GETIOEVENTSZ)) != -1 ||
           errno == EBUSY; /* another thread has made it larger still */
}

static void start_accept(void)
{
    pthread_mutex_lock(&lock);
    closed = 0;
    pthread_mutex_unlock(&lock);
    while (!ioevent_queued(accept(listener, NULL, NULL)))
        if (!has_room_now())
            fail("plain-pool: accept");
}

static void end(struct connection *c)
{
    close(c->fd); /* nothing is outstanding on it */
    free(c);
    pthread_mutex_lock(&lock);
    int again = waiting;
    waiting = 0;
    closed = 1;
    connections--;
    pthread_mutex_unlock(&lock);
    if (again)
        start_accept();
}

/* Goes on from a result: what was read is written, and after a write the next bytes are read. Once the operation is
 * queued its event may be with another thread, so c is not looked at any more. */
static void go_on(struct connection *c, int result)
{
    int writing = c->writing = !c->writing;
    while (result > 0) {
        if (ioevent_queued(writing ? write(c->fd, c->buffer, (size_t)result)
                                   : read(c->fd, c->buffer, sizeof c->buffer)))
            return;
        if (!has_room_now())
            break;
    }
    end(c); /* end of file or an error */
}

/* There is no descriptor, or no memory, for one more connection. */
static void run_short(int error)
{
    pthread_mutex_lock(&lock);
    int again = closed, alone = connections == 0;
    waiting = !again;
    pthread_mutex_unlock(&lock);
    errno = error;
    if (again)
        start_accept();
    else if (alone)
        fail("plain-pool: accept");
}

static void accepted(int fd, int error)
{
    struct connection *c = fd == -1 ? NULL : malloc(sizeof *c);
    if (fd == -1 && (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM)) {
        run_short(error);
    } else if (fd == -1) { /* the client's connection was lost before it was accepted */
        start_accept();
    } else if (c == NULL) {
        close(fd);
        run_short(ENOMEM);
    } else {
        *c = (struct connection){.fd = fd, .writing = 1}; /* as if it had just written: so it goes on to read */
        pthread_mutex_lock(&lock);
        connections++;
        pthread_mutex_unlock(&lock);
        start_accept();
        go_on(c, fcntl(fd, F_SETIOEVENTPIPE, pipe_fd, c) == 0 ? 1 : -1);
    }
}

/* Posts the event that ends the threads; each that reads it posts it for the next. */
static void post_end(void)
{
    const struct ioevent event = {.ioe_user = (void *)&ending};
    while (write(pipe_fd, &event, sizeof event) == -1)
        if (!has_room_now())
            fail("plain-pool: write");
}

static void *work(void *unused)
{
    for (;;) {
        struct ioevent events[BATCH];
        ssize_t bytes = read(pipe_fd, events, sizeof events); /* waits until there is one */
        if (bytes == -1 && errno != EINTR)
            fail("plain-pool: read");
        int ends = 0;
        for (ssize_t i = 0; i < bytes / (ssize_t)sizeof *events; i++) {
            if (events[i].ioe_user == &ending)
                ends = 1;
            else if (events[i].ioe_user == NULL)
                accepted(events[i].ioe_result, events[i].ioe_errno);
            else
                go_on(events[i].ioe_user, events[i].ioe_result);
        }
        if (ends) {
            post_end();
            return unused;
        }
    }
}

static long number(const char *text, long most)
{
    char *rest;
    long n = strtol(text, &rest, 10);
    return *rest == '\0' && n >= 1 && n <= most ? n : 0;
}

int main(int argc, char **argv)
{
    long port = argc > 1 ? number(argv[1], 65535) : 7777, threads = argc > 2 ? number(argv[2], MOST_THREADS) : 4;
    if (argc > 3 || port == 0 || threads == 0) {
        fprintf(stderr, "usage: plain-pool [port [threads]], from 1 to 65535 and to %d\n", MOST_THREADS);
        return 2;
    }
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int yes = 1;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes); /* its connections inherit this */
    if (listener == -1 || bind(listener, (struct sockaddr *)&here, sizeof here) == -1 ||
        listen(listener, SOMAXCONN) == -1) {
        fprintf(stderr, "plain-pool: port %ld: %s\n", port, strerror(errno));
        return 1;
    }
    pipe_fd = ioeventpipe(PLACES);
    if (pipe_fd == -1)
        fail("plain-pool: ioeventpipe");
    if (fcntl(listener, F_SETIOEVENTPIPE, pipe_fd, NULL) == -1) { /* NULL: so we know its events */
        if (errno != EINVAL)
            fail("plain-pool: fcntl");
        fputs("plain-pool: fcntl is libc's: link libioevent_posix, or set LD_PRELOAD=libioevent_posix.so.0\n", stderr);
        return 1;
    }

    sigset_t set; /* blocked in every thread: it is for sigwait */
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    start_accept();
    pthread_t workers[MOST_THREADS];
    for (long i = 0; i < threads; i++) {
        if ((errno = pthread_create(&workers[i], NULL, work, NULL)) != 0)
            fail("plain-pool: pthread_create");
    }
    int which;
    sigwait(&set, &which);
    post_end();
    for (long i = 0; i < threads; i++)
        pthread_join(workers[i], NULL);
    return close(pipe_fd); /* ends all that is outstanding */
}
