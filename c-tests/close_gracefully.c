/*
 * To close gracefully: shut down SHUT_WR, which waits for queued writes; read to the end of file; close: rule 4.3. No
 * byte is lost in either direction, all of it queued at once.
 */
#include "test.h"

enum { SIZE = 2000003, PIECE = SIZE / 2 + 1 };

static unsigned char out[SIZE], in[SIZE + 1];
static int peer;

/* Takes all until the end, then answers as much, and closes. */
static void *other_side(void *unused)
{
    static unsigned char got[SIZE];

    read_all(peer, got, SIZE);
    CHECK(sees_end(peer));
    for (size_t done = 0; done < SIZE;)
        done += (size_t)OK(write(peer, got + done, SIZE - done));
    OK(close(peer));
    return unused;
}

static void run(int which)
{
    int p = OK(ioeventpipe(8)), fd[2];
    size_t got = 0;
    bool end = false;
    pthread_t t;

    if (!stream_pair(which, fd))
        return;
    memset(in, 0, SIZE);
    peer = fd[0];
    ATTACH(fd[1], p, 1);
    QUEUED(ioevent_write(fd[1], out, PIECE));
    QUEUED(ioevent_write(fd[1], out + PIECE, SIZE - PIECE));
    ATTACH(fd[1], p, 2);
    QUEUED(ioevent_shutdown(fd[1], SHUT_WR));
    t = start_thread(other_side, NULL);
    ATTACH(fd[1], p, 3);
    QUEUED(ioevent_read(fd[1], in, SIZE + 1));
    for (int writes = 0, shutdowns = 0; !end;) {
        struct ioevent e = HARVEST(p);

        SAME(e.ioe_errno, 0);
        switch ((uintptr_t)e.ioe_user) {
        case 1: SAME(e.ioe_result, writes++ ? SIZE - PIECE : PIECE); break;
        case 2: SAME(writes, 2); SAME(shutdowns++, 0); break;
        default:
            end = e.ioe_result == 0;
            got += (size_t)e.ioe_result;
            CHECK(got <= SIZE);
            if (!end)
                QUEUED(ioevent_read(fd[1], in + got, SIZE + 1 - got));
        }
        if (end)
            SAME(shutdowns, 1);
    }
    SAME(got, SIZE);
    CHECK(memcmp(in, out, SIZE) == 0);
    GIVES(ioevent_close(fd[1]), 0);
    ZERO(pthread_join(t, NULL));
    STAYS_QUIET(p);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    put_pattern(out, 0, SIZE);
    for (int which = 0; which < STREAM_PIPE; which++)
        run(which);
    return 0;
}
