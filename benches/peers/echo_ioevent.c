/* Echo over libioevent: one operation outstanding for each connection, a read or a write in turn. Any number of threads
 * harvest the same pipe; each event goes to one of them, so a connection needs no lock.
 *
 * There are several ways to ask. Each is a program of its own, built from this file with another WAY, so that choosing
 * one costs nothing where the time is measured. */
#include "peer.h"

#include <ioevent.h>
#include <poll.h>
#include <pthread.h>
#include <sys/uio.h>

/* READ: ioevent_read, ioevent_write and ioevent_wait; of the others that which the name says, and else the same. */
enum way {
    READ,
    PIPE,      /* harvests with ioevent_read of the pipe */
    PLAIN,     /* read and write, of connections and of the pipe, by their plain names: linked to libioevent_posix */
    RECV,      /* ioevent_recv, ioevent_send */
    READV,     /* ioevent_readv, ioevent_writev */
    RECVMSG,   /* ioevent_recvmsg, ioevent_sendmsg */
    SUBMIT,    /* ioevent_submit: one operation a call, with a user pointer of its own */
    LIMIT,     /* a time limit on each connection */
    RECVLIMIT, /* a time limit on each connection, with ioevent_recv and ioevent_send */
    POLL,      /* IOEVENT_POLLONLY: ioevent_poll, then plain read(2) and write(2) */
    INLINE     /* IOEVENT_INLINE: a call that can be finished at once gives its result directly */
};
#ifndef WAY
#define WAY READ
#endif

enum { BATCH = 64, MOST_TURNS = 16, PLACES = 1 << 20 }; /* more places than descriptors: no EIOEVENTFULL */
enum { HAS_VECTOR = WAY == READV || WAY == RECVMSG, HAS_LIMIT = WAY == LIMIT || WAY == RECVLIMIT };

/* The arrays have one element or none: a connection is not larger than its way needs. */
struct connection {
    int fd, writing;
    struct { unsigned begin, end; } rest[WAY == POLL]; /* received, not yet sent */
    struct iovec vector[HAS_VECTOR];
    struct msghdr message[WAY == RECVMSG];
    char buffer[];
};

static int pipe_fd, listener;
static size_t buffer_bytes;

static inline int queued(ssize_t answer) { return answer == -1 && errno == EIOEVENTQUEUED; }

static inline ssize_t submit(struct connection *c, int kind, size_t bytes)
{
    struct ioevent_op op = {
        .ioo_kind = kind, .ioo_fd = c->fd, .ioo_user = c, .ioo_buf = c->buffer, .ioo_len = bytes};
    if (ioevent_submit(&op, 1) == 1)
        errno = EIOEVENTQUEUED;
    return -1;
}

static inline ssize_t start_read(struct connection *c)
{
    if (HAS_VECTOR)
        c->vector->iov_len = buffer_bytes;
    switch (WAY) {
    case RECV:
    case RECVLIMIT:
        return ioevent_recv(c->fd, c->buffer, buffer_bytes, 0);
    case READV:
        return ioevent_readv(c->fd, c->vector, 1);
    case RECVMSG:
        return ioevent_recvmsg(c->fd, c->message, 0);
    case SUBMIT:
        return submit(c, IOEVENT_OP_READ, buffer_bytes);
    case PLAIN:
        return read(c->fd, c->buffer, buffer_bytes);
    default:
        return ioevent_read(c->fd, c->buffer, buffer_bytes);
    }
}

static inline ssize_t start_write(struct connection *c, size_t bytes)
{
    if (HAS_VECTOR)
        c->vector->iov_len = bytes;
    switch (WAY) {
    case RECV:
    case RECVLIMIT:
        return ioevent_send(c->fd, c->buffer, bytes, 0);
    case READV:
        return ioevent_writev(c->fd, c->vector, 1);
    case RECVMSG:
        return ioevent_sendmsg(c->fd, c->message, 0);
    case SUBMIT:
        return submit(c, IOEVENT_OP_WRITE, bytes);
    case PLAIN:
        return write(c->fd, c->buffer, bytes);
    default:
        return ioevent_write(c->fd, c->buffer, bytes);
    }
}

static inline int harvest(struct ioevent *events)
{
    if (WAY != PIPE && WAY != PLAIN)
        return ioevent_wait(pipe_fd, events, BATCH, NULL);
    ssize_t bytes = WAY == PLAIN ? read(pipe_fd, events, BATCH * sizeof *events)
                                 : ioevent_read(pipe_fd, events, BATCH * sizeof *events);
    return bytes == -1 ? -1 : (int)((size_t)bytes / sizeof *events);
}

static void end(struct connection *c)
{
    ioevent_close(c->fd); /* no operation is outstanding */
    free(c);
}

/* Goes on from a result. The event of the next operation may be with another thread before the call that queues it is
 * back. Where results come directly, after some of them one comes out of the pipe, so that others have their turn. */
static inline void serve(struct connection *c, ssize_t result)
{
    int turns = 0;
    do {
        c->writing = !c->writing;
        if (result <= 0)
            break;
        if (c->writing)
            result = start_write(c, result);
        else if (WAY == INLINE && ++turns == MOST_TURNS)
            result = submit(c, IOEVENT_OP_READ, buffer_bytes);
        else
            result = start_read(c);
        if (queued(result))
            return;
    } while (WAY == INLINE);
    end(c); /* end of file or an error */
}

/* One read and one write for each "ready"; what the socket does not take waits until it is ready again. */
static void serve_ready(struct connection *c)
{
    if (c->rest->begin == c->rest->end) {
        ssize_t n = read(c->fd, c->buffer, buffer_bytes);
        if (n == 0 || (n == -1 && errno != EAGAIN)) {
            end(c);
            return;
        }
        c->rest->begin = 0;
        c->rest->end = n == -1 ? 0 : n;
    }
    if (c->rest->begin < c->rest->end) {
        ssize_t n = write(c->fd, c->buffer + c->rest->begin, c->rest->end - c->rest->begin);
        if (n == -1 && errno != EAGAIN) {
            end(c);
            return;
        }
        c->rest->begin += n == -1 ? 0 : n;
    }
    if (!queued(ioevent_poll(c->fd, c->rest->begin < c->rest->end ? POLLOUT : POLLIN)))
        end(c);
}

static int attach(struct connection *c)
{
    const struct timespec limit = {.tv_sec = PEER_LIMIT};
    int flags = WAY == POLL ? IOEVENT_POLLONLY : IOEVENT_INLINE;
    /* The pointer that ioevent_submit gives goes before this one. */
    if (ioevent_fcntl(c->fd, F_SETIOEVENTPIPE, pipe_fd, WAY == SUBMIT ? NULL : c) == -1)
        return -1;
    if (HAS_LIMIT)
        return ioevent_fcntl(c->fd, F_SETIOEVENTTIMEO, &limit);
    return WAY == POLL || WAY == INLINE ? ioevent_fcntl(c->fd, F_SETIOEVENTFLAGS, flags) : 0;
}

static void accepted(int fd)
{
    struct connection *c = fd == -1 ? NULL : malloc(sizeof *c + buffer_bytes);
    if (c == NULL) {
        ioevent_close(fd);
        return;
    }
    *c = (struct connection){.fd = fd, .writing = 1};
    if (HAS_VECTOR)
        *c->vector = (struct iovec){.iov_base = c->buffer};
    if (WAY == RECVMSG)
        *c->message = (struct msghdr){.msg_iov = c->vector, .msg_iovlen = 1};
    if (attach(c) == -1 || (WAY == POLL && !queued(ioevent_poll(fd, POLLIN))))
        end(c);
    else if (WAY != POLL)
        serve(c, 1); /* as if it had just written: so it goes on to read */
}

/* Who does its own I/O when told "ready" must not wait in it. */
static int start_accept(void)
{
    return queued(WAY == POLL ? ioevent_accept4(listener, NULL, NULL, SOCK_NONBLOCK)
                              : ioevent_accept(listener, NULL, NULL));
}

static void *work(void *unused)
{
    errno = 0; /* so that the compiler looks for this thread's errno once, and not after each call */
    for (;;) {
        struct ioevent events[BATCH];
        int n = harvest(events);
        for (int i = 0; i < n; i++) {
            if (events[i].ioe_user == NULL) {
                accepted(events[i].ioe_result);
                start_accept();
            } else if (WAY == POLL) {
                serve_ready(events[i].ioe_user);
            } else {
                serve(events[i].ioe_user, events[i].ioe_result);
            }
        }
    }
    return unused;
}

int main(int argc, char **argv)
{
    struct peer_options options = peer_options(argc, argv, PEER_THREADS);
    buffer_bytes = options.buffer;
    pipe_fd = ioeventpipe(PLACES);
    listener = peer_listen(options.port);
    if (pipe_fd == -1 || ioevent_fcntl(listener, F_SETIOEVENTPIPE, pipe_fd, NULL) == -1 || !start_accept())
        errx(1, "ioevent: %s", ioevent_strerror(errno));
    peer_ready();

    for (int i = 1; i < options.threads; i++) {
        pthread_t thread;
        if ((errno = pthread_create(&thread, NULL, work, NULL)) != 0)
            err(1, "thread");
    }
    work(NULL);
}
