/* Echo over one ioevent pipe that several threads harvest. One operation is outstanding for each connection, so there
 * is one event, one thread has it, and a connection needs no lock. */
#include "peer.h"

#include <ioevent.h>
#include <pthread.h>

enum { BATCH = 64, PLACES = 1 << 20 }; /* more places than descriptors, so EIOEVENTFULL cannot happen */
struct connection { int fd, writing; char buffer[]; };

static int pipe_fd, listener;
static size_t buffer_bytes;

static int queued(ssize_t answer) { return answer == -1 && errno == EIOEVENTQUEUED; }

/* The event of its next operation may be with another thread before the call that queues it is back. */
static void serve(struct connection *c, int result)
{
    c->writing = !c->writing;
    if (result > 0 && queued(c->writing ? ioevent_write(c->fd, c->buffer, result)
                                        : ioevent_read(c->fd, c->buffer, buffer_bytes)))
        return;
    ioevent_close(c->fd); /* end of file or an error: no operation is outstanding */
    free(c);
}

static void accepted(int fd)
{
    struct connection *c = fd == -1 ? NULL : malloc(sizeof *c + buffer_bytes);
    if (c == NULL) {
        ioevent_close(fd);
        return;
    }
    *c = (struct connection){.fd = fd};
    if (ioevent_fcntl(fd, F_SETIOEVENTPIPE, pipe_fd, c) == 0 && queued(ioevent_read(fd, c->buffer, buffer_bytes)))
        return;
    ioevent_close(fd);
    free(c);
}

static void *work(void *unused)
{
    for (;;) {
        struct ioevent events[BATCH];
        int n = ioevent_wait(pipe_fd, events, BATCH, NULL);
        for (int i = 0; i < n; i++) {
            if (events[i].ioe_user != NULL) {
                serve(events[i].ioe_user, events[i].ioe_result);
                continue;
            }
            accepted(events[i].ioe_result);
            ioevent_accept(listener, NULL, NULL);
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
    if (pipe_fd == -1 || ioevent_fcntl(listener, F_SETIOEVENTPIPE, pipe_fd, NULL) == -1 ||
        !queued(ioevent_accept(listener, NULL, NULL)))
        errx(1, "ioevent: %s", ioevent_strerror(errno));
    peer_ready();

    for (int i = 1; i < options.threads; i++) {
        pthread_t thread;
        if ((errno = pthread_create(&thread, NULL, work, NULL)) != 0)
            err(1, "thread");
    }
    work(NULL);
}
