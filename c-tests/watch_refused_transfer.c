/*
 * A splice or sendfile whose other descriptor the kernel refuses to watch (fs.epoll.max_user_watches is reached, or
 * memory is short) ends with that error, rather than wait for what nobody looks for; and the next one is as ever: rule
 * 2.2, rule 5.4.
 */
#include "test_file.h"
#include "test_refuse.h"

enum { PIPE_TO_SOCKET, SOCKET_TO_PIPE, PIPE_TO_PIPE, FILE_TO_SOCKET, FILE_TO_PIPE, KINDS };
enum { WAIT_FOR_INPUT, WAIT_FOR_ROOM, FOR_WHAT };

static ssize_t transfer(int kind, int in, int out, bool by_struct)
{
    bool from_file = kind == FILE_TO_SOCKET || kind == FILE_TO_PIPE;
    struct ioevent_op op = { .ioo_kind = from_file ? IOEVENT_OP_SENDFILE : IOEVENT_OP_SPLICE, .ioo_fd = out,
                             .ioo_fd2 = in, .ioo_user = USER(1), .ioo_len = 5, .ioo_offset = from_file ? 0 : -1,
                             .ioo_offset2 = -1 };
    static off_t at;

    at = 0;
    if (by_struct) {
        GIVES(ioevent_submit(&op, 1), 1);
        errno = EIOEVENTQUEUED;
        return -1;
    }
    return from_file ? ioevent_sendfile(out, in, &at, 5) : ioevent_splice(in, NULL, out, NULL, 5, 0);
}

static void run(int kind, int what, bool attach_source, bool by_struct, int err)
{
    bool from_file = kind == FILE_TO_SOCKET || kind == FILE_TO_PIPE;
    int p = OK(ioeventpipe(8)), in[2] = { -1, -1 }, out[2];
    struct ioevent e;
    struct timespec t = { 0, 200000000 };
    int n;

    if (from_file) {
        in[0] = make_file(FILE_MEMORY);
        OK(write(in[0], "hello", 5));
    } else if (kind == SOCKET_TO_PIPE) {
        unix_pair(in);
    } else {
        OK(pipe2(in, O_CLOEXEC));
    }
    if (kind == PIPE_TO_SOCKET || kind == FILE_TO_SOCKET)
        CHECK(stream_pair(fillable(), out));
    else
        OK(pipe2(out, O_CLOEXEC));
    if (what == WAIT_FOR_ROOM) {
        fill_up_for_good(out[1]);
        if (!from_file)
            OK(write(in[1], "hello", 5));
    }
    ATTACH(attach_source ? in[0] : out[1], p, 1);
    refuse(EPOLL_CTL_ADD, err);
    QUEUED(transfer(kind, in[0], out[1], by_struct));
    n = ioevent_wait(p, &e, 1, &t);
    refuse(0, 0);
    if (n == 0) { /* it was not refused: it knows how to wait, and has to do so */
        if (what == WAIT_FOR_ROOM)
            while (drain(out[0]) > 0) {}
        else
            OK(write(in[1], "hello", 5));
        EXPECT(p, 1, 5, 0);
    } else {
        SAME(n, 1);
        CHECK(e.ioe_user == USER(1));
        SAME(e.ioe_result, -1);
        SAME(e.ioe_errno, err);
        STAYS_QUIET(p);
        /* and now it can */
        QUEUED(transfer(kind, in[0], out[1], by_struct));
        QUIET(p);
        if (what == WAIT_FOR_ROOM)
            while (drain(out[0]) > 0) {}
        else
            OK(write(in[1], "hello", 5));
        EXPECT(p, 1, 5, 0);
    }
    STAYS_QUIET(p);
    GIVES(ioevent_close(in[0]), 0);
    GIVES(ioevent_close(out[1]), 0);
    OK(close(out[0]));
    if (in[1] >= 0)
        OK(close(in[1]));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    refuse_start();
    for (int kind = 0; kind < KINDS; kind++)
        for (int what = 0; what < FOR_WHAT; what++) {
            if (what == WAIT_FOR_INPUT && (kind == FILE_TO_SOCKET || kind == FILE_TO_PIPE))
                continue;
            for (int i = 0; i < 4; i++)
                run(kind, what, i & 1, i & 2, i == 3 ? ENOMEM : ENOSPC);
        }
    return 0;
}
