/*
 * Many operations on files that are not in memory, outstanding at once on several descriptors: all complete:
 * rule 4.1, rule 2.2.
 */
#include "test_file.h"

enum { N = 200, DESCRIPTORS = 5 };

int main(void)
{
    size_t piece = on_valgrind() ? 8192 : 65536;
    int file = disk_file(), fd[DESCRIPTORS], p = OK(ioeventpipe(N));
    char *buffer = room(N * piece);

    fill_file(file, N * piece);
    for (int i = 0; i < DESCRIPTORS; i++)
        fd[i] = reopen(file, O_RDWR);
    for (int round = 0; round < 4; round++) {
        bool seen[N] = { false };

        uncache(file);
        if (round % 2 == 0)
            memset(buffer, 0, N * piece);
        for (uintptr_t i = 0; i < N; i++) {
            uintptr_t k = i * 83 % N;
            int on = fd[i % DESCRIPTORS];
            char *b = buffer + k * piece;
            off_t at = (off_t)(k * piece);

            ATTACH(on, p, k);
            if (round % 2)
                QUEUED(ioevent_pwrite(on, b, piece, at)); /* what was read before: no change */
            else
                QUEUED(ioevent_pread(on, b, piece, at));
        }
        for (int i = 0; i < N; i++) {
            struct ioevent e = HARVEST(p);
            uintptr_t k = (uintptr_t)e.ioe_user;

            CHECK(k < N && !seen[k]);
            seen[k] = true;
            SAME(e.ioe_errno, 0);
            SAME(e.ioe_result, piece);
            CHECK(is_pattern(buffer + k * piece, k * piece, piece));
        }
        STAYS_QUIET(p);
    }
    CHECK(holds_pattern(file, N * piece));
    for (int i = 0; i < DESCRIPTORS; i++)
        GIVES(ioevent_close(fd[i]), 0);
    GIVES(ioevent_close(p), 0);
    free(buffer);
    return 0;
}
