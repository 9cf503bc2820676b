/*
 * EIOEVENTFULL takes no data from a reader and gives none to a writer: the call made again later finds all as it was:
 * rule 2.1, rule 3.1.
 */
#include "test.h"

int main(void)
{
    int fd[2], p = OK(ioeventpipe(1)), fulls = 0;
    size_t got = 0, sent = 0;

    for (int which = 0; which < STREAMS; which++) {
        if (!stream_pair(which, fd))
            continue;
        ATTACH(fd[0], p, 1);
        ATTACH(fd[1], p, 2);
        got = sent = 0;
        while (got < 3000) {
            unsigned char in[16], in2[16], out[64];
            ssize_t n;

            /* the only place is taken by the write; the read must leave the data alone */
            put_pattern(out, sent, 16);
            put_pattern(out + 16, sent + 1000, 16);
            QUEUED(ioevent_write(fd[1], out, 16));
            sent += 16;
            memset(in, 0xee, sizeof in);
            FAILS(ioevent_read(fd[0], in, sizeof in), EIOEVENTFULL);
            FAILS(ioevent_write(fd[1], out + 16, 16), EIOEVENTFULL);
            CHECK(is_all(in, 0xee, sizeof in));
            fulls += 2;
            EXPECT(p, 2, 16, 0);
            QUEUED(ioevent_read(fd[0], in, 16));
            FAILS(ioevent_read(fd[0], in2, 16), EIOEVENTFULL);
            n = HARVEST(p).ioe_result;
            SAME(n, 16);
            CHECK(is_pattern(in, got, (size_t)n));
            got += (size_t)n;
        }
        SAME(got, sent);
        GIVES(ioevent_close(fd[0]), 0);
        GIVES(ioevent_close(fd[1]), 0);
    }
    CHECK(fulls > 0);
    return 0;
}
