/* Echo over libioevent with IOEVENT_INLINE: a call that can be finished at once gives its result directly, and only
 * what has to wait comes out of the pipe. */
#include "peer.h"

#include <ioevent.h>

enum { BATCH = 64, MOST_TURNS = 16, PLACES = 1 << 20 }; /* more than descriptors, so EIOEVENTFULL cannot happen */
struct connection { int fd, writing; char buffer[]; };

static int pipe_fd;
static size_t buffer_bytes;

static int queued(ssize_t answer) { return answer == -1 && errno == EIOEVENTQUEUED; }

/* A read whose result comes out of the pipe even if it is there: so that others have their turn. */
static ssize_t read_later(struct connection *c)
{
    struct ioevent_op op = {
        .ioo_kind = IOEVENT_OP_READ, .ioo_fd = c->fd, .ioo_user = c, .ioo_buf = c->buffer, .ioo_len = buffer_bytes};
    if (ioevent_submit(&op, 1) == 1)
        errno = EIOEVENTQUEUED;
    return -1;
}

/* Goes on from a result, as long as the next call gives one directly. */
static void serve(struct connection *c, ssize_t result)
{
    for (int turns = 0; result > 0;) {
        c->writing = !c->writing;
        if (c->writing)
            result = ioevent_write(c->fd, c->buffer, result);
        else
            result = ++turns < MOST_TURNS ? ioevent_read(c->fd, c->buffer, buffer_bytes) : read_later(c);
        if (queued(result))
            return;
    }
    ioevent_close(c->fd); /* end of file or an error: no operation is outstanding */
    free(c);
}

static void accepted(int fd)
{
    struct connection *c = fd == -1 ? NULL : malloc(sizeof *c + buffer_bytes);
    if (c == NULL || ioevent_fcntl(fd, F_SETIOEVENTPIPE, pipe_fd, c) == -1 ||
        ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE) == -1) {
        ioevent_close(fd);
        free(c);
        return;
    }
    *c = (struct connection){.fd = fd, .writing = 1};
    serve(c, 1); /* as if it had just written: so it goes on to read */
}

int main(int argc, char **argv)
{
    struct peer_options options = peer_options(argc, argv, PEER_ONE_THREAD);
    buffer_bytes = options.buffer;
    pipe_fd = ioeventpipe(PLACES);
    int listener = peer_listen(options.port);
    if (pipe_fd == -1 || ioevent_fcntl(listener, F_SETIOEVENTPIPE, pipe_fd, NULL) == -1 ||
        !queued(ioevent_accept(listener, NULL, NULL)))
        errx(1, "ioevent: %s", ioevent_strerror(errno));
    peer_ready();

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
}
