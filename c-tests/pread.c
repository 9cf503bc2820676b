/*
 * pread, pwrite, preadv and pwritev stand outside the order, many outstanding at once, each at its own offset; they
 * leave the file's own position alone, and read and write go on there: rule 2.5, rule 4.1.
 */
#include "test_file.h"

enum { N = 64, PIECE = 16000, SIZE = N * PIECE };

static unsigned char data[SIZE], back[SIZE];
static struct iovec iov[N][3];

/* One harvest for each, in any order. */
static void all_of_them(int p, int n, long result)
{
    bool seen[N + 1] = { false };

    for (int i = 0; i < n; i++) {
        struct ioevent e = HARVEST(p);
        uintptr_t which = (uintptr_t)e.ioe_user;

        CHECK(which <= N && !seen[which]);
        seen[which] = true;
        SAME(e.ioe_errno, 0);
        SAME(e.ioe_result, which == N ? 10 : result);
    }
    QUIET(p);
}

static void run(int kind)
{
    int p = OK(ioeventpipe(N + 1)), fd = make_file(kind);
    char b[16] = "";

    for (int i = 0; i < N; i++) {
        unsigned char *from = data + i * PIECE;

        iov[i][0] = (struct iovec){ from, 1 };
        iov[i][1] = (struct iovec){ from + 1, PIECE / 2 };
        iov[i][2] = (struct iovec){ from + 1 + PIECE / 2, PIECE / 2 - 1 };
    }
    for (int i = 0; i < N; i++) {
        int k = i * 37 % N; /* not from the front to the back */

        ATTACH(fd, p, k);
        if (k % 3)
            QUEUED(ioevent_pwrite(fd, data + k * PIECE, PIECE, k * PIECE));
        else
            QUEUED(ioevent_pwritev(fd, iov[k], 3, k * PIECE));
    }
    all_of_them(p, N, PIECE);
    SAME(position(fd), 0);
    CHECK(holds_pattern(fd, SIZE));

    for (int cold = 0; cold < 2; cold++) {
        if (cold)
            uncache(fd);
        memset(back, 0, SIZE);
        OK(lseek(fd, 100, SEEK_SET));
        for (int i = 0; i < N; i++) {
            int k = i * 29 % N;

            for (int j = 0; j < 3; j++)
                iov[k][j].iov_base = back + k * PIECE + (j == 0 ? 0 : j == 1 ? 1 : 1 + PIECE / 2);
            ATTACH(fd, p, k);
            if (k % 3)
                QUEUED(ioevent_pread(fd, back + k * PIECE, PIECE, k * PIECE));
            else
                QUEUED(ioevent_preadv(fd, iov[k], 3, k * PIECE));
            if (i == N / 2) { /* one at the position among them */
                ATTACH(fd, p, N);
                QUEUED(ioevent_read(fd, b, 10));
            }
        }
        FAILS(ioevent_pread(fd, b, 1, 0), EIOEVENTFULL); /* rule 2.1 */
        all_of_them(p, N + 1, PIECE);
        CHECK(is_pattern(back, 0, SIZE));
        CHECK(is_pattern(b, 100, 10));
        SAME(position(fd), 110);
    }
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    put_pattern(data, 0, SIZE);
    for (int kind = 0; kind < FILES; kind++)
        run(kind);
    return 0;
}
