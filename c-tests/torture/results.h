/*
 * What may be: results and errors that a blocking call could have.
 */
#ifndef TORTURE_RESULTS_H
#define TORTURE_RESULTS_H

#include "cast.h"

/* Somebody ended it, or may have. */
static bool was_cancelled(const struct op *op)
{
    if (GET(op->cancel_asked))
        return true;
    if (op->conn)
        return GET(op->conn->cancelled);
    if (op->end)
        return GET(op->end->started[op->direction]) > op->cancels;
    return GET(op->pipe->started) > op->cancels;
}

static bool is_overdue(const struct op *op)
{
    long long limit = op->limit, other = op->end ? GET(op->end->timeo) : 0;

    if (!limit || (other && other < limit))
        limit = other;
    return limit && now_ns() - op->begun >= limit;
}

static bool may_fail(const struct op *op)
{
    bool loose = op->conn || op->chan->is->mixed, ended = loose || GET(op->chan->ended);
    bool listens = op->what == IOEVENT_OP_ACCEPT || op->what == IOEVENT_OP_ACCEPT4;

    switch (op->err) {
    case ECANCELED:
        ADD(canceled, 1);
        return was_cancelled(op);
    case ETIMEDOUT:
        ADD(timed_out, 1);
        return is_overdue(op);
    case EPIPE:
        return op->direction == OUT && ended;
    case ECONNRESET:
        return ended;
    case ENOTCONN:
        return loose || op->what == IOEVENT_OP_SHUTDOWN || (op->chan->kind == K_DGRAM && ended);
    case ECONNREFUSED:
        return op->conn || op->chan->kind == K_MIX_UDP || (op->chan->kind == K_DGRAM && ended);
    case ECONNABORTED:
        return listens;
    case EMSGSIZE:
        return loose;
    case EIO:
        return op->chan && op->chan->kind == K_PTY && ended;
    case EINVAL:
    case EOPNOTSUPP:
        return op->conn || moves_pages(op->what) || is_fsync(op->what) || op->what == IOEVENT_OP_SHUTDOWN;
    }
    return false;
}

static void check_result(const struct op *op)
{
    long r = op->result;
    bool whole = is_write(op->what) || (op->flags & MSG_WAITALL && op->chan && op->chan->is->stream);

    if (op->what == POSTED) {
        if (r != (int)op->value || op->err != (int)(op->value >> 32))
            die(op, "a posted event came out as another");
        return;
    }
    if (r < 0) {
        if (r != -1 || op->err <= 0)
            die(op, "no such result");
        if (op->what == IOEVENT_OP_TIMER ? op->err != ECANCELED || !was_cancelled(op) : !may_fail(op))
            die(op, "it failed with %s, for no reason (cancelled %d, overdue %d)", strerror(op->err), was_cancelled(op),
                is_overdue(op));
        return;
    }
    if (op->err != 0) { /* a part, and why it is one */
        if (r == 0 || (size_t)r >= op->len || !(whole || op->flags & MSG_WAITALL || moves_pages(op->what)))
            die(op, "a result and an error");
        if ((op->err != ECANCELED && op->err != ETIMEDOUT) || !may_fail(op))
            die(op, "a part with %s, for no reason (cancelled %d, overdue %d)", strerror(op->err), was_cancelled(op),
                is_overdue(op));
    }
    switch (op->what) {
    case IOEVENT_OP_POLL:
        if (r == 0 || r & ~(op->flags | POLLERR | POLLHUP | POLLNVAL))
            die(op, "revents that nobody asked for");
        return;
    case IOEVENT_OP_TIMER:
        if (r != 0 || now_ns() - op->begun < op->limit)
            die(op, "the timer is early");
        return;
    case IOEVENT_OP_ACCEPT:
    case IOEVENT_OP_ACCEPT4:
        return;
    case IOEVENT_OP_CONNECT:
    case IOEVENT_OP_SHUTDOWN:
    case IOEVENT_OP_FSYNC:
    case IOEVENT_OP_FDATASYNC:
        if (r != 0)
            die(op, "no such result");
        return;
    }
    if ((size_t)r > op->len)
        die(op, "more bytes than there is room for");
    if (op->chan && (op->chan->is->messages || op->chan->kind == K_COUNTER) && is_write(op->what) &&
        (size_t)r != op->len)
        die(op, "a part of a message");
    if (whole && (size_t)r < op->len && !op->direct) {
        ADD(parts, 1);
        if (op->err == 0 && !op->conn && !op->chan->is->mixed && !GET(op->chan->ended))
            die(op, "a part, and nobody ended it");
    }
}

#endif
