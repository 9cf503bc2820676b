/*
 * Closing a pipe while large reads and writes of files go on: when it returns the buffers are the program's; nothing
 * changes them any more, and nothing that is put into them reaches the file: rule 3.7, rule 4.8.
 */
#include "test_file.h"

enum { N = 8 };

static size_t piece;
static char *buffer[N], *back;

static void run(bool writes, int pause)
{
    int p = OK(ioeventpipe(N + 1)), fd = disk_file();

    back = room(N * piece);
    memset(back, 0x33, N * piece);
    SAME(write(fd, back, N * piece), N * piece);
    uncache(fd);
    ATTACH(fd, p, 1);
    for (int i = 0; i < N; i++) {
        off_t at = (off_t)((size_t)i * piece);

        memset(buffer[i], 0x11, piece);
        if (writes)
            QUEUED(ioevent_pwrite(fd, buffer[i], piece, at));
        else
            QUEUED(ioevent_pread(fd, buffer[i], piece, at));
    }
    if (writes)
        QUEUED(ioevent_fdatasync(fd));
    for (long long until = now_ns() + pause; now_ns() < until;)
        ;
    GIVES(ioevent_close(p), 0);
    for (int i = 0; i < N; i++)
        memset(buffer[i], 0x22, piece);
    ATTACHED(fd, -1, 0);
    for (int i = 0; i < 20; i++)
        breathe();
    for (int i = 0; i < N; i++)
        CHECK(is_all(buffer[i], 0x22, piece));
    SAME(pread(fd, back, N * piece, 0), N * piece);
    CHECK(memchr(back, 0x22, N * piece) == NULL);
    if (!writes)
        CHECK(is_all(back, 0x33, N * piece));
    OK(close(fd));
    free(back);
}

int main(void)
{
    piece = on_valgrind() ? 100000 : 1 << 20;
    for (int i = 0; i < N; i++)
        buffer[i] = room(piece);
    for (int i = 0; i < 12; i++)
        run(i & 1, i * i * 20000);
    for (int i = 0; i < N; i++)
        free(buffer[i]);
    return 0;
}
