/*
 * A send that waits for a full receiver though its socket is ready is ended as any other: by cancel, by its time limit,
 * when its descriptor is detached or closed, with its pipe: rule 4.3, rule 4.6, rule 4.7, rule 3.7.
 */
#include "test_spin.h"

enum { CANCEL, CANCEL_USER, LIMIT, OWN_LIMIT, DETACHED, CLOSED, PIPE_CLOSED, HOWS };

static void run(int how, bool harvest)
{
    int p = OK(ioeventpipe(8)), s = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    struct receiver r;
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_SENDTO, .ioo_fd = s, .ioo_user = USER(1), .ioo_buf = "last",
                             .ioo_len = 4, .ioo_addr = SOCKADDR(&r.address), .ioo_addrlen = &r.address.length };
    char b[8];
    long long begin = now_ns();

    make_receiver(&r);
    fill_receiver(&r);
    ATTACH(s, p, 99);
    if (how == LIMIT)
        GIVES(ioevent_fcntl(s, F_SETIOEVENTTIMEO, &(struct timespec){ 0, 100000000 }), 0);
    if (how == OWN_LIMIT)
        op.ioo_timeout.tv_nsec = 100000000;
    GIVES(ioevent_submit(&op, 1), 1);
    if (how != LIMIT && how != OWN_LIMIT) {
        if (harvest)
            IDLE(p, 100);
        else
            IDLE_ALONE(100);
    }
    switch (how) {
    case CANCEL: GIVES(ioevent_cancel(s), 1); break;
    case CANCEL_USER: GIVES(ioevent_cancel2(s, IOEVENT_CANCEL_OUT | IOEVENT_CANCEL_USER, USER(1)), 1); break;
    case DETACHED: DETACH(s); break;
    case CLOSED: GIVES(ioevent_close(s), 0); break;
    case PIPE_CLOSED: GIVES(ioevent_close(p), 0); break;
    default: break;
    }
    if (how == LIMIT || how == OWN_LIMIT) {
        if (!harvest)
            for (int i = 0; i < 150; i++)
                breathe();
        EXPECT(p, 1, -1, ETIMEDOUT);
        CHECK(now_ns() - begin >= 100000000);
    } else if (how != PIPE_CLOSED) {
        EXPECT(p, 1, -1, ECANCELED);
    }
    empty_receiver(&r);
    if (how != PIPE_CLOSED) {
        STAYS_QUIET(p);
        GIVES(ioevent_close(p), 0);
    }
    FAILS(recv(r.fd, b, sizeof b, MSG_DONTWAIT), EAGAIN);
    OK(close(r.fd));
    if (how != CLOSED)
        OK(close(s));
}

int main(void)
{
    for (int how = 0; how < HOWS; how++) {
        run(how, true);
        run(how, false);
    }
    return 0;
}
