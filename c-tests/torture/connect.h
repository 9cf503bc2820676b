/*
 * Sockets that connect to a listener of the torture.
 */
#ifndef TORTURE_CONNECT_H
#define TORTURE_CONNECT_H

#include "descriptors.h"
#include "operate.h"

/* A socket of its own that connects to the listener of this slot, and perhaps writes and reads. */
static void connect_some(struct worker *w, struct chan *c)
{
    static const int what[4] = { IOEVENT_OP_CONNECT, IOEVENT_OP_SEND, IOEVENT_OP_RECV, IOEVENT_OP_POLL };
    struct pipe *p = some_pipe(w);
    struct conn *conn;
    struct op *op[4];
    struct ioevent_op o[4];
    int n = 0, most = 1 + (int)below(w, 4), taken, kinds[4], err;

    if (pthread_rwlock_tryrdlock(&p->lock) != 0)
        return;
    LOCK(&pool_mutex);
    conn = p->closed ? NULL : free_conns;
    if (conn)
        free_conns = conn->next;
    UNLOCK(&pool_mutex);
    if (conn) {
        conn->fd = OK(socket(c->address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        conn->refs = 1;
        conn->cancelled = false;
        ATTACH(conn->fd, p->fd, FOREIGN);
        while (n < most && (op[n] = new_op(false))) {
            struct op *a = op[n];

            a->what = kinds[n] = what[n];
            a->direction = what[n] == IOEVENT_OP_RECV ? IN : what[n] == IOEVENT_OP_POLL ? POLL : OUT;
            a->conn = conn;
            a->limit = 30 * MS + below(w, 100) * MS;
            o[n] = (struct ioevent_op){ .ioo_kind = (unsigned short)what[n], .ioo_fd = conn->fd, .ioo_user = user_of(a),
                                        .ioo_timeout = nanoseconds(a->limit) };
            if (what[n] == IOEVENT_OP_CONNECT) {
                memcpy(&a->room->addr, &c->address.storage, sizeof a->room->addr);
                a->room->addrlen = c->address.length;
                o[n].ioo_addr = (struct sockaddr *)&a->room->addr;
                o[n].ioo_addrlen = &a->room->addrlen;
            } else if (what[n] == IOEVENT_OP_POLL) {
                o[n].ioo_arg = a->flags = POLLIN;
            } else {
                o[n].ioo_buf = a->room->data;
                o[n].ioo_len = a->len = 1 + below(w, 2000);
                if (what[n] == IOEVENT_OP_SEND)
                    memcpy(a->room->data, table, a->len);
            }
            ADD(conn->refs, 1);
            begin(a, NULL, NULL, p);
            n++;
        }
        errno = 0;
        taken = n ? ioevent_submit(o, n) : 0;
        err = errno;
        if (taken == -1 && err != EIOEVENTFULL)
            die(op[0], "ioevent_submit gave errno %d (%s)", err, ioevent_strerror(err));
        for (int i = 0; i < taken; i++)
            ADD(queued[kinds[i]], 1);
        for (int i = taken < 0 ? 0 : taken; i < n; i++) {
            unbegin(op[i]);
            conn_put(conn);
        }
        if (chance(w, 20)) {
            SET(conn->cancelled, true);
            OK(ioevent_cancel(conn->fd));
        }
        conn_put(conn);
    }
    pthread_rwlock_unlock(&p->lock);
}

#endif
