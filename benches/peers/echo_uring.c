/* Echo over io_uring by hand, through liburing: a multishot accept, and for each connection a recv or a send in flight;
 * one system call submits all that a batch of completions led to, and waits for the next. Connections are direct
 * descriptors: they exist in the ring only, which saves the look-up of a file. Needs Linux 5.19.
 *
 * COOP_TASKRUN was as fast as DEFER_TASKRUN or faster, linking send to recv was not worth it, POLL_FIRST was. */
#include "peer.h"

#include <liburing.h>

enum { ENTRIES = 4096, MOST_FILES = 1 << 16 };
struct connection { int file, has_more; unsigned begin, end; char buffer[]; }; /* begin to end: not yet sent */

/* User data: which connection; its lowest bit says that it was a send. Or one of these. */
static char accepting, closing;

static struct io_uring ring;
static size_t buffer_bytes;

static struct io_uring_sqe *next_sqe(void)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
    if (sqe == NULL) { /* the queue is full */
        io_uring_submit(&ring);
        sqe = io_uring_get_sqe(&ring);
    }
    if (sqe == NULL)
        errx(1, "io_uring takes no more");
    return sqe;
}

static void start_accept(int listener)
{
    struct io_uring_sqe *sqe = next_sqe();
    io_uring_prep_multishot_accept_direct(sqe, listener, NULL, NULL, 0);
    io_uring_sqe_set_data(sqe, &accepting);
}

static void start_recv(struct connection *c)
{
    struct io_uring_sqe *sqe = next_sqe();
    io_uring_prep_recv(sqe, c->file, c->buffer, buffer_bytes, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
    if (!c->has_more)
        sqe->ioprio |= IORING_RECVSEND_POLL_FIRST; /* the client has yet to see our answer */
    io_uring_sqe_set_data(sqe, c);
}

static void start_send(struct connection *c)
{
    struct io_uring_sqe *sqe = next_sqe();
    io_uring_prep_send(sqe, c->file, c->buffer + c->begin, c->end - c->begin, MSG_NOSIGNAL | MSG_WAITALL);
    sqe->flags |= IOSQE_FIXED_FILE;
    io_uring_sqe_set_data(sqe, (char *)c + 1);
}

static void end(struct connection *c)
{
    struct io_uring_sqe *sqe = next_sqe();
    io_uring_prep_close_direct(sqe, c->file);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data(sqe, &closing);
    free(c);
}

static void accepted(int file)
{
    struct connection *c = malloc(sizeof *c + buffer_bytes);
    if (c == NULL)
        err(1, "accept");
    *c = (struct connection){.file = file, .has_more = 1}; /* for all we know */
    start_recv(c);
}

static void complete(const struct io_uring_cqe *cqe, int listener)
{
    uintptr_t user = cqe->user_data;
    struct connection *c = (struct connection *)(user & ~(uintptr_t)1);
    if (user == (uintptr_t)&accepting) {
        if (cqe->res >= 0)
            accepted(cqe->res);
        if (!(cqe->flags & IORING_CQE_F_MORE))
            start_accept(listener);
    } else if (user == (uintptr_t)&closing) {
        warnx("close: %d", cqe->res);
    } else if (cqe->res <= 0) {
        end(c); /* end of file or an error */
    } else if (user & 1) {
        c->begin += cqe->res;
        if (c->begin < c->end)
            start_send(c);
        else
            start_recv(c);
    } else {
        c->has_more = (cqe->flags & IORING_CQE_F_SOCK_NONEMPTY) != 0;
        c->begin = 0;
        c->end = cqe->res;
        start_send(c);
    }
}

int main(int argc, char **argv)
{
    struct peer_options options = peer_options(argc, argv, PEER_ONE_THREAD);
    buffer_bytes = options.buffer;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    errno = -io_uring_queue_init(ENTRIES, &ring, IORING_SETUP_COOP_TASKRUN);
    if (errno == 0)
        errno = -io_uring_register_files_sparse(&ring, files.rlim_cur < MOST_FILES ? files.rlim_cur : MOST_FILES);
    if (errno != 0)
        err(1, "io_uring");
    io_uring_register_ring_fd(&ring); /* saves a look-up for each call; if it fails, nothing is lost */
    int listener = peer_listen(options.port);
    start_accept(listener);
    peer_ready();

    for (;;) {
        io_uring_submit_and_wait(&ring, 1);
        struct io_uring_cqe *cqe;
        unsigned head, count = 0;
        io_uring_for_each_cqe(&ring, head, cqe) {
            complete(cqe, listener);
            count++;
        }
        io_uring_cq_advance(&ring, count);
    }
}
