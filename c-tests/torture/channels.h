/*
 * Channels are opened and closed.
 */
#ifndef TORTURE_CHANNELS_H
#define TORTURE_CHANNELS_H

#include "descriptors.h"
#include "log.h"

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <termios.h>

static void open_pty(int fd[2])
{
    struct termios t;

    fd[1] = OK(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    OK(grantpt(fd[1]));
    OK(unlockpt(fd[1]));
    fd[0] = OK(ioctl(fd[1], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    OK(tcgetattr(fd[0], &t));
    cfmakeraw(&t);
    OK(tcsetattr(fd[0], TCSANOW, &t));
}

static int open_file(const char *name, bool filled)
{
    char path[100];
    int fd;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    fd = OK(open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    OK(unlink(path));
    if (filled)
        GIVES(write(fd, table, FILE_SIZE), FILE_SIZE);
    return fd;
}

static void open_fds(struct worker *w, struct chan *c, int fd[2])
{
    char path[100], number[20];
    int size = 5000;
    struct itimerspec often = { { 0, 200000 }, { 0, 200000 } };

    fd[0] = fd[1] = -1;
    snprintf(number, sizeof number, "%td", c - chans);
    switch (c->kind) {
    case K_PIPE:
        OK(pipe2(fd, O_CLOEXEC));
        if (chance(w, 3))
            fcntl(fd[0], F_SETPIPE_SZ, 4096);
        break;
    case K_FIFO:
        snprintf(path, sizeof path, "%s/%s", dir, number);
        OK(mkfifo(path, 0600));
        fd[0] = OK(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        fd[1] = OK(open(path, O_WRONLY | O_CLOEXEC));
        OK(unlink(path));
        set_nonblock(fd[0], false);
        break;
    case K_PTY:
        open_pty(fd);
        break;
    case K_DGRAM:
        OK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fd));
        break;
    case K_SEQPACKET:
        OK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd));
        break;
    case K_TCP:
    case K_MIX_TCP:
        CHECK(tcp_pair(AF_INET, fd));
        break;
    case K_FILE_READ:
        fd[0] = open_file(number, true);
        OK(lseek(fd[0], 0, SEEK_SET));
        break;
    case K_FILE_WRITE:
        fd[1] = open_file(number, false);
        break;
    case K_FILE_AT:
        fd[0] = open_file(number, true);
        break;
    case K_COUNTER:
        fd[0] = OK(eventfd(0, EFD_CLOEXEC));
        fd[1] = OK(dup(fd[0]));
        break;
    case K_CLOCK:
        fd[0] = OK(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
        often.it_interval.tv_nsec += below(w, 3000000);
        OK(timerfd_settime(fd[0], 0, &often, NULL));
        break;
    case K_LISTEN_TCP:
        fd[0] = listener(AF_INET, 3, &c->address);
        break;
    case K_LISTEN_UNIX:
        fd[0] = listener(AF_UNIX, 3, &c->address);
        break;
    case K_MIX_UDP:
        fd[0] = bound_socket(AF_INET, SOCK_DGRAM, &c->address);
        fd[1] = OK(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        OK(connect(fd[1], SOCKADDR(&c->address), c->address.length));
        c->address.length = sizeof c->address.storage;
        OK(getsockname(fd[1], SOCKADDR(&c->address), &c->address.length));
        OK(connect(fd[0], SOCKADDR(&c->address), c->address.length));
        break;
    default:
        unix_pair(fd);
        break;
    }
    if (c->is->socket && fd[1] != -1 && chance(w, 3))
        OK(setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size));
    if ((c->is->stream || c->is->messages) && fd[0] != -1 && fd[1] != -1 && c->kind != K_PIPE && c->kind != K_FIFO &&
        chance(w, 2)) {
        int other = fd[0];

        fd[0] = fd[1];
        fd[1] = other;
    }
}

static struct chan *open_chan(struct worker *w)
{
    struct chan *c;
    struct end *e;
    int fd[2], kind;

    LOCK(&pool_mutex);
    c = free_chans;
    if (c)
        free_chans = c->next;
    UNLOCK(&pool_mutex);
    if (!c)
        return NULL;
    do
        kind = (int)below(w, KINDS);
    while (!(kind_mask >> kind & 1));
    c->kind = (enum kind)kind;
    c->is = &kind_info[kind];
    c->start = below(w, FILE_SIZE);
    c->used = 0;
    c->log[0] = c->log[1] = c->log_end[0] = c->log_end[1] = NULL;
    c->log_length[0] = c->log_length[1] = c->ndups = c->outstanding = 0;
    c->sum[0] = c->sum[1] = 0;
    c->tainted = c->ended = c->shut = c->closing = c->graceful = c->big_value = false;
    ADD(live_chans, 1);
    open_fds(w, c, fd);
    if (kind == K_FILE_READ) { /* as if somebody had written the file */
        struct op *op = new_op(false);

        if (!op) { /* it is not important */
            OK(close(fd[0]));
            unix_pair(fd);
            c->kind = K_MIX_UNIX;
            c->is = &kind_info[K_MIX_UNIX];
        } else {
            op->what = IOEVENT_OP_WRITE;
            op->direction = OUT;
            op->chan = c;
            op->result = FILE_SIZE;
            op->done = op->logged = op->poisoned = true;
            SET(op->state, DONE);
            c->log[OUT] = c->log_end[OUT] = op;
            c->log_length[OUT] = 1;
        }
    }
    c->nends = 0;
    for (int i = 0; i < ENDS; i++) {
        e = &c->end[i];
        e->fd = i < 2 ? fd[i] : c->is->mixed ? OK(dup(fd[below(w, 2)])) : -1;
        if (e->fd == -1)
            continue;
        c->nends = i + 1;
        if (chance(w, 3))
            set_nonblock(e->fd, true);
        e->reads = i == 0 || c->is->mixed;
        e->writes = i == 1 || c->is->mixed || c->kind == K_FILE_AT;
        e->pipe = e->last = NULL;
        e->life = NULL;
        e->lately = NULL;
        e->flags = 0;
        e->detaches = 0;
        e->timeo = 0;
        memset(e->started, 0, sizeof e->started);
        memset(e->finished, 0, sizeof e->finished);
        attach(c, e, some_pipe(w));
    }
    for (int i = 0; i < ENDS; i++)
        if (c->end[i].fd != -1)
            c->end[i].file_flags = OK(fcntl(c->end[i].fd, F_GETFL));
    return c;
}

/* It is in no slot any more. */
static void close_chan(struct worker *w, struct chan *c)
{
    bool verified = c->is->stream || c->is->messages || c->kind == K_COUNTER, last;
    bool graceful = verified && !GET(c->tainted) && !chance(w, 3);
    int first = (int)below(w, ENDS);

    if (!graceful)
        SET(c->ended, true);
    for (int i = 0; i < ENDS; i++) {
        struct end *e = &c->end[(i + first) % ENDS];

        if (e->fd == -1)
            continue;
        if (graceful) {
            detach(e);
            continue;
        }
        ADD(e->detaches, 1);
        count_cancels(e, 7, true);
        GIVES(ioevent_close(e->fd), 0);
        forget_life(e);
    }
    LOCK(&c->mutex);
    c->graceful = graceful;
    c->closing = true;
    last = c->outstanding == 0;
    UNLOCK(&c->mutex);
    if (last)
        finish(c);
}

static void change_slot(struct worker *w, struct slot *slot)
{
    struct chan *old, *new = open_chan(w);

    ZERO(pthread_rwlock_wrlock(&slot->lock));
    old = slot->chan;
    slot->chan = new;
    ZERO(pthread_rwlock_unlock(&slot->lock));
    if (old)
        close_chan(w, old);
}

#endif
