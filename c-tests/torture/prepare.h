/*
 * An operation is made up: one that fits its descriptor.
 */
#ifndef TORTURE_PREPARE_H
#define TORTURE_PREPARE_H

#include "pools.h"

/* Data of an operation, in one to three parts. */
static void split(struct worker *w, struct op *op)
{
    struct iovec *iov = op->room->iov;
    size_t first = op->len ? below(w, (uint32_t)op->len + 1) : 0, second = below(w, (uint32_t)(op->len - first) + 1);

    iov[0] = (struct iovec){ op->room->data, first };
    iov[1] = (struct iovec){ op->room->data + first, second };
    iov[2] = (struct iovec){ op->room->data + first + second, op->len - first - second };
}

static const int socket_reads[] = { IOEVENT_OP_READ, IOEVENT_OP_READV, IOEVENT_OP_RECV, IOEVENT_OP_RECV,
                                    IOEVENT_OP_RECVFROM, IOEVENT_OP_RECVMSG, IOEVENT_OP_SPLICE };
static const int socket_writes[] = { IOEVENT_OP_WRITE, IOEVENT_OP_WRITEV, IOEVENT_OP_SEND, IOEVENT_OP_SENDTO,
                                     IOEVENT_OP_SENDMSG, IOEVENT_OP_SENDFILE, IOEVENT_OP_SPLICE };
static const int file_reads[] = { IOEVENT_OP_READ, IOEVENT_OP_READV, IOEVENT_OP_READ, IOEVENT_OP_SPLICE };
static const int file_writes[] = { IOEVENT_OP_WRITE, IOEVENT_OP_WRITEV, IOEVENT_OP_WRITE, IOEVENT_OP_SENDFILE,
                                   IOEVENT_OP_SPLICE };
static const int at_reads[] = { IOEVENT_OP_PREAD, IOEVENT_OP_PREADV, IOEVENT_OP_SENDFILE };
static const int at_writes[] = { IOEVENT_OP_PWRITE, IOEVENT_OP_PWRITEV };

static int choose(struct worker *w, const struct chan *c, bool in)
{
    bool message = c->is->messages;

    switch (c->kind) {
    case K_LISTEN_TCP:
    case K_LISTEN_UNIX:
        return chance(w, 2) ? IOEVENT_OP_ACCEPT : IOEVENT_OP_ACCEPT4;
    case K_COUNTER:
    case K_CLOCK:
        return in ? IOEVENT_OP_READ : IOEVENT_OP_WRITE;
    case K_FILE_AT:
        if (chance(w, 100))
            return chance(w, 2) ? IOEVENT_OP_FSYNC : IOEVENT_OP_FDATASYNC;
        return in ? ONE_OF(at_reads, LENGTH(at_reads)) : ONE_OF(at_writes, LENGTH(at_writes));
    default:
        break;
    }
    if (!in && chance(w, c->kind == K_FILE_WRITE ? 50 : 500))
        return IOEVENT_OP_FSYNC;
    if (!in && c->is->socket && c->kind != K_DGRAM && chance(w, 80))
        return IOEVENT_OP_SHUTDOWN;
    if (c->kind == K_FILE_READ && chance(w, 5))
        return IOEVENT_OP_SENDFILE;
    if (c->is->socket)
        return in ? ONE_OF(socket_reads, LENGTH(socket_reads) - message)
                  : ONE_OF(socket_writes, LENGTH(socket_writes) - (message ? 2 : 0));
    return in ? ONE_OF(file_reads, LENGTH(file_reads)) : ONE_OF(file_writes, LENGTH(file_writes));
}

/* A pipe of its own: the source of a write, filled, or the destination of a read. */
static void open_other(struct worker *w, struct op *op)
{
    OK(pipe2(op->other, O_CLOEXEC));
    if (op->direction == IN)
        return;
    GIVES(write(op->other[1], table + op->start, op->len), op->len);
    if (chance(w, 2)) {
        OK(close(op->other[1]));
        op->other[1] = -1;
    }
}

/* An operation that fits this descriptor. The caller holds c->order, unless it is `mixed`. */
static struct op *prepare(struct worker *w, struct chan *c, struct end *e, struct ioevent_op *o, bool only_poll)
{
    bool in = e->reads && (!e->writes || chance(w, 2));
    int what = only_poll || chance(w, 12) ? IOEVENT_OP_POLL : choose(w, c, in);
    bool moves = what != IOEVENT_OP_POLL && what != IOEVENT_OP_SHUTDOWN && !is_fsync(what);
    bool big = moves && c->is->stream && chance(w, 6);
    struct op *op;
    bool enough;

    LOCK(&c->mutex);
    enough = c->outstanding >= (c->is->mixed ? 40 : 24) || c->log_length[!in] >= LOG_MAX;
    UNLOCK(&c->mutex);
    if (enough)
        return NULL;
    if (c->kind == K_FILE_WRITE && chance(w, 4))
        return NULL;
    op = new_op(big);
    if (!op)
        return NULL;
    op->what = what;
    op->direction = what == IOEVENT_OP_POLL ? POLL : in && moves ? IN : OUT;
    if (moves) {
        size_t most = c->is->messages ? MESSAGE_MAX : moves_pages(what) && op->size > 4096 ? 4096 : op->size;

        op->len = 1 + (chance(w, 2) ? below(w, 64) : below(w, (uint32_t)most));
        if (c->kind == K_COUNTER || c->kind == K_CLOCK)
            op->len = 8;
        else if (c->is->mixed && chance(w, 30) && !moves_pages(what))
            op->len = 0;
    }
    if (c->kind == K_FILE_AT || c->is->mixed || what == IOEVENT_OP_SENDFILE)
        op->start = below(w, FILE_SIZE - (uint32_t)op->len);
    else if (op->direction == OUT && moves) {
        op->start = c->start;
        c->start = (c->start + op->len) % FILE_SIZE;
    }
    op->logged = (c->is->stream || c->is->messages) && op->direction != POLL && (moves || what == IOEVENT_OP_SHUTDOWN);
    if (is_write(what) || what == IOEVENT_OP_PWRITE || what == IOEVENT_OP_PWRITEV)
        memcpy(op->room->data, table + op->start, op->len);
    if (c->kind == K_COUNTER && !in) {
        op->value = chance(w, 20) ? UINT64_MAX - 1 - below(w, 9) : 1 + next_random(&w->seed);
        if (op->value > UINT32_MAX + 1ull)
            SET(c->big_value, true);
        memcpy(op->room->data, &op->value, sizeof op->value);
    }

    *o = (struct ioevent_op){ .ioo_kind = (unsigned short)what, .ioo_fd = e->fd, .ioo_user = user_of(op),
                              .ioo_buf = op->room->data, .ioo_len = op->len, .ioo_offset = -1, .ioo_offset2 = -1 };
    switch (what) {
    case IOEVENT_OP_POLL:
        op->flags = ONE_OF(((int[]){ POLLIN, POLLOUT, POLLIN | POLLOUT, POLLPRI, POLLIN | POLLRDHUP, 0 }), 6);
        break;
    case IOEVENT_OP_PREADV:
    case IOEVENT_OP_PWRITEV:
    case IOEVENT_OP_READV:
    case IOEVENT_OP_WRITEV:
        split(w, op);
        o->ioo_buf = op->room->iov;
        o->ioo_len = 3;
        break;
    case IOEVENT_OP_RECVMSG:
    case IOEVENT_OP_SENDMSG:
        split(w, op);
        memset(&op->room->msg, 0, sizeof op->room->msg);
        op->room->msg.msg_iov = op->room->iov;
        op->room->msg.msg_iovlen = 3;
        o->ioo_buf = &op->room->msg;
        break;
    case IOEVENT_OP_RECVFROM:
    case IOEVENT_OP_ACCEPT:
    case IOEVENT_OP_ACCEPT4:
        op->room->addrlen = sizeof op->room->addr;
        o->ioo_addr = (struct sockaddr *)&op->room->addr;
        o->ioo_addrlen = &op->room->addrlen;
        break;
    case IOEVENT_OP_SENDFILE:
        if (in) {
            open_other(w, op);
            o->ioo_fd = op->other[1];
            o->ioo_fd2 = e->fd;
        } else {
            o->ioo_fd2 = pattern_file;
        }
        break;
    case IOEVENT_OP_SPLICE:
        open_other(w, op);
        if (in) {
            o->ioo_fd = op->other[1];
            o->ioo_fd2 = e->fd;
        } else {
            o->ioo_fd2 = op->other[0];
        }
        break;
    case IOEVENT_OP_SHUTDOWN:
        op->flags = c->is->mixed && chance(w, 2) ? SHUT_RDWR : SHUT_WR;
        SET(c->ended, true);
        break;
    }
    switch (what) {
    case IOEVENT_OP_RECV:
    case IOEVENT_OP_RECVFROM:
    case IOEVENT_OP_RECVMSG:
        if (c->is->mixed && chance(w, 20))
            op->flags = MSG_ERRQUEUE;
        else
            op->flags = ONE_OF(((int[]){ 0, 0, 0, MSG_DONTWAIT, MSG_PEEK, MSG_WAITALL }), 6);
        break;
    case IOEVENT_OP_SEND:
    case IOEVENT_OP_SENDTO:
    case IOEVENT_OP_SENDMSG:
        op->flags = ONE_OF(((int[]){ 0, 0, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_MORE }), 4);
        break;
    case IOEVENT_OP_ACCEPT4:
        op->flags = ONE_OF(((int[]){ 0, SOCK_CLOEXEC, SOCK_NONBLOCK | SOCK_CLOEXEC }), 3);
        break;
    case IOEVENT_OP_SPLICE:
        op->flags = chance(w, 2) ? SPLICE_F_MOVE : SPLICE_F_NONBLOCK;
        break;
    }
    if (c->kind == K_FILE_AT || (what == IOEVENT_OP_SENDFILE && !in))
        o->ioo_offset = (long long)op->start;
    o->ioo_arg = op->flags;
    return op;
}

#endif
