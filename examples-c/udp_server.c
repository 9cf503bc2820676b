/* udp_server [port [datagrams]]: sends each datagram back to where it came from, for many clients on one socket. Shows
 * ioevent_submit: so many datagrams are received or on their way at a time, each an operation with a user pointer and a
 * struct msghdr of its own, and all that a harvest leads to is queued by one call.
 *
 * A datagram of more than DATAGRAM bytes is not answered. SIGTERM ends the program, which says then what it has
 * done. */
#include "example.h"

#include <fcntl.h>
#include <ioevent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DATAGRAM = 1472, MOST = 10000, BATCH = 64 };

/* One of the datagrams. All that an operation is given belongs to it until its event has been read. */
struct datagram {
    enum { RECEIVING, SENDING } state;
    struct msghdr message;
    struct iovec iov;
    struct sockaddr_storage peer;
    char bytes[DATAGRAM];
};

static int socket_fd;
static struct ioevent_op ops[BATCH]; /* what is to be queued */
static int nops;
static long long answered, dropped;

static void receive(struct datagram *d)
{
    d->state = RECEIVING;
    d->iov = (struct iovec){d->bytes, sizeof d->bytes};
    d->message = (struct msghdr){
        .msg_name = &d->peer, .msg_namelen = sizeof d->peer, .msg_iov = &d->iov, .msg_iovlen = 1};
    ioevent_prep_recvmsg(&ops[nops++], socket_fd, &d->message, 0, d);
}

static void answer(struct datagram *d, int length)
{
    d->state = SENDING;
    d->iov.iov_len = (size_t)length;
    ioevent_prep_sendto(&ops[nops++], socket_fd, d->bytes, (size_t)length, 0, (struct sockaddr *)&d->peer,
                        &d->message.msg_namelen, d);
}

/* Each event leads to one operation. An error is not of the socket, but of one client: its port is closed, say. */
static void handle(const struct ioevent *event)
{
    struct datagram *d = event->ioe_user;
    int received = d->state == RECEIVING && event->ioe_result >= 0;
    if (received && !(d->message.msg_flags & MSG_TRUNC)) {
        answer(d, event->ioe_result);
        return;
    }
    if (d->state == SENDING && event->ioe_result >= 0)
        answered++;
    else
        dropped++;
    receive(d);
}

/* Queues what has gathered. A call that takes only a part is made again with the rest, and says then what was wrong. */
static void submit(void)
{
    for (int done = 0; done < nops;) {
        int n = ioevent_submit(ops + done, nops - done);
        if (n == -1)
            err(1, "submit");
        done += n;
    }
    nops = 0;
}

int main(int argc, char **argv)
{
    int port = argc < 2 ? 7777 : number(argv[1], 1, 65535), count = argc < 3 ? 256 : number(argv[2], 1, MOST);
    if (argc > 3 || port == -1 || count == -1)
        errx(2, "usage: udp_server [port [datagrams]], from 1 to 65535 and to %d", MOST);
    struct signalfd_siginfo ending; /* its address is the user pointer of the signal's event */
    int signals = open_signals(), pipe = ioeventpipe2(count + 1, O_CLOEXEC); /* so it can never be full */
    struct datagram *datagrams = calloc((size_t)count, sizeof *datagrams);
    socket_fd = open_port(SOCK_DGRAM, port);
    if (pipe == -1 || datagrams == NULL || ioevent_fcntl(socket_fd, F_SETIOEVENTPIPE, pipe, NULL) == -1 ||
        ioevent_fcntl(signals, F_SETIOEVENTPIPE, pipe, &ending) == -1 ||
        !ioevent_queued(ioevent_read(signals, &ending, sizeof ending)))
        err(1, "ioeventpipe");
    for (int i = 0; i < count; i++) {
        receive(&datagrams[i]);
        if (nops == BATCH || i == count - 1)
            submit();
    }

    for (int ended = 0; !ended;) {
        struct ioevent events[BATCH];
        int n = ioevent_wait(pipe, events, BATCH, NULL);
        if (n == -1 && errno != EINTR)
            err(1, "ioevent_wait");
        for (int i = 0; i < n; i++) {
            if (events[i].ioe_user == &ending)
                ended = 1;
            else
                handle(&events[i]);
        }
        submit();
    }
    ioevent_close(pipe); /* the buffers are ours again */
    close(socket_fd);
    close(signals);
    free(datagrams);
    printf("%lld answered, %lld dropped\n", answered, dropped);
    return 0;
}
