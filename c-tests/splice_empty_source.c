/*
 * A splice whose source has nothing waits until it has, attached or not, SPLICE_F_NONBLOCK or not: rule 2.4. While it
 * waits, no flag of either open file is changed: rule 4.5.
 */
#include "test_file.h"

static int p;

static bool is_blocking(int fd)
{
    return !(OK(fcntl(fd, F_GETFL)) & O_NONBLOCK);
}

/* in[0] is the source, out[1] the destination; what goes into in[1] comes out of out[0]. source: in[0] is attached. */
static void run(const int in[2], const int out[2], bool source, unsigned flags, bool nonblock)
{
    char b[16];

    set_nonblock(in[0], nonblock);
    set_nonblock(out[1], nonblock);
    ATTACH(source ? in[0] : out[1], p, 1);
    for (int i = 0; i < 2; i++) {
        QUEUED(ioevent_splice(in[0], NULL, out[1], NULL, 8, flags));
        if (i)
            QUIET(p);
        else
            STAYS_QUIET(p);
        UNTIL(is_blocking(in[0]) == !nonblock && is_blocking(out[1]) == !nonblock);
        OK(write(in[1], "abc", 3));
        EXPECT(p, 1, 3, 0);
        read_all(out[0], b, 3);
        CHECK(memcmp(b, "abc", 3) == 0);
    }

    /* nothing comes any more */
    QUEUED(ioevent_splice(in[0], NULL, out[1], NULL, 8, flags));
    QUIET(p);
    OK(close(in[1]));
    EXPECT(p, 1, 0, 0);
    QUIET(p);
    GIVES(ioevent_close(in[0]), 0);
    GIVES(ioevent_close(out[1]), 0);
    OK(close(out[0]));
}

int main(void)
{
    p = OK(ioeventpipe(4));
    for (int which = 0; which < STREAMS; which++)
        for (int i = 0; i < 8; i++) {
            int in[2], out[2];
            bool into_pipe = i & 1;

            if (!stream_pair(into_pipe ? which : STREAM_PIPE, in))
                continue;
            if (!stream_pair(into_pipe ? STREAM_PIPE : which, out)) {
                OK(close(in[0]));
                OK(close(in[1]));
                continue;
            }
            run(in, out, i & 2, i & 4 ? SPLICE_F_NONBLOCK : SPLICE_F_MOVE, which & 1);
        }
    STAYS_QUIET(p);
    return 0;
}
