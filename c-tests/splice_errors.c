/*
 * What splice refuses, with libc's errno, at once or in the event; a destination whose reader is gone gives EPIPE and
 * no SIGPIPE: rule 2.6, rule 2.4.
 */
#include "test_file.h"

static int p;

/* libc's splice fails, and ours with the same errno, whichever of the two is attached. */
static void refused(int in, off_t in_at, int out, off_t out_at, unsigned flags, int err)
{
    for (int source = 0; source < 2; source++) {
        off_t a = in_at, b = out_at;
        int mine = source ? in : out;

        if (fcntl(mine, F_GETFD) == -1)
            continue;
        FAILS(splice(in, a == -77 ? NULL : &a, out, b == -77 ? NULL : &b, 10, flags), err);
        a = in_at;
        b = out_at;
        ATTACH(mine, p, 1);
        EITHER(ioevent_splice(in, a == -77 ? NULL : &a, out, b == -77 ? NULL : &b, 10, flags), p, 1, err);
        SAME(a, in_at);
        SAME(b, out_at);
        DETACH(mine);
    }
}

static void peer_gone(int which, bool of_source, bool waiting)
{
    int in[2], out[2];

    CHECK(stream_pair(which, out));
    OK(pipe2(in, O_CLOEXEC));
    ATTACH(of_source ? in[0] : out[1], p, 2);
    if (waiting) {
        fill_up_for_good(out[1]);
        OK(write(in[1], "abc", 3));
        QUEUED(ioevent_splice(in[0], NULL, out[1], NULL, 3, 0));
        STAYS_QUIET(p);
        OK(close(out[0]));
    } else {
        OK(close(out[0]));
        OK(write(in[1], "abc", 3));
        QUEUED(ioevent_splice(in[0], NULL, out[1], NULL, 3, 0));
    }
    {
        struct ioevent e = HARVEST(p);

        CHECK(e.ioe_user == USER(2));
        SAME(e.ioe_result, -1);
        CHECK(e.ioe_errno == EPIPE || (waiting && e.ioe_errno == ECONNRESET));
    }
    QUIET(p);
    GIVES(ioevent_close(out[1]), 0);
    GIVES(ioevent_close(in[0]), 0);
    OK(close(in[1]));
}

int main(void)
{
    int x[2], y[2], s[2], file = disk_file(), reads, append;
    enum { NONE = -77 };

    signal(SIGPIPE, SIG_DFL); /* would end this process */
    p = OK(ioeventpipe(4));
    OK(pipe2(x, O_CLOEXEC));
    OK(pipe2(y, O_CLOEXEC));
    unix_pair(s);
    fill_file(file, 100);
    reads = reopen(file, O_RDONLY);
    append = reopen(file, O_WRONLY | O_APPEND);
    OK(write(x[1], "abc", 3));
    refused(s[0], NONE, file, NONE, 0, EINVAL); /* no pipe */
    refused(x[0], NONE, x[1], NONE, 0, EINVAL); /* one pipe */
    refused(x[0], 0, s[1], NONE, 0, ESPIPE);
    refused(file, 0, x[1], 0, 0, ESPIPE);
    refused(s[0], 0, y[1], NONE, 0, EINVAL);
    refused(x[0], NONE, s[1], 0, 0, EINVAL);
    refused(x[0], NONE, s[1], NONE, 1u << 20, EINVAL);
    refused(x[1], NONE, s[1], NONE, 0, EBADF);
    refused(x[0], NONE, y[0], NONE, 0, EBADF);
    refused(x[0], NONE, reads, NONE, 0, EBADF);
    refused(append, NONE, x[1], NONE, 0, EBADF);
    refused(x[0], NONE, append, NONE, 0, EINVAL);
    refused(-1, NONE, s[1], NONE, 0, EBADF);
    refused(x[0], NONE, -1, NONE, 0, EBADF);
    refused(x[0], NONE, INT_MAX, NONE, 0, EBADF);
    SAME(drain(x[0]), 3);
    SAME(drain(s[0]), 0);
    SAME(position(file), 0);
    for (int i = 0; i < 4; i++) {
        peer_gone(i & 2 ? fillable() : STREAM_UNIX, i & 1, i & 2);
        peer_gone(STREAM_PIPE, i & 1, i & 2);
    }
    STAYS_QUIET(p);
    return 0;
}
