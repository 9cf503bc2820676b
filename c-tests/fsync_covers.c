/*
 * fsync and fdatasync cover what was queued on their descriptor before them, write and pwrite alike: their event
 * comes after the events of all that: rule 2.5.
 */
#include "test_file.h"

enum { ROUNDS = 6, WRITES = 12 };

static unsigned char data[WRITES << 20];

static void run(int which, size_t piece)
{
    int p = OK(ioeventpipe(2 * WRITES + 4)), fd = make_file(which);

    for (int round = 0; round < ROUNDS; round++) {
        uintptr_t syncs[2] = { WRITES, 2 * WRITES + 1 };
        bool seen[2 * WRITES + 2] = { false };

        OK(lseek(fd, 0, SEEK_SET));
        for (uintptr_t i = 0; i < 2 * WRITES + 2; i++) {
            size_t k = i % (WRITES + 1);

            ATTACH(fd, p, i);
            if (k == WRITES) {
                if (round % 2)
                    QUEUED(ioevent_fdatasync(fd));
                else
                    QUEUED(ioevent_fsync(fd));
            } else if (i % 2 || round % 3 == 0) {
                QUEUED(ioevent_pwrite(fd, data + k * piece, piece, (off_t)(k * piece)));
            } else {
                QUEUED(ioevent_write(fd, data + k * piece, piece));
            }
        }
        for (int n = 0; n < 2 * WRITES + 2; n++) {
            struct ioevent e = HARVEST(p);
            uintptr_t i = (uintptr_t)e.ioe_user;

            CHECK(i < 2 * WRITES + 2 && !seen[i]);
            seen[i] = true;
            SAME(e.ioe_errno, 0);
            if (i == syncs[0] || i == syncs[1]) {
                SAME(e.ioe_result, 0);
                for (uintptr_t before = 0; before < i; before++)
                    CHECK(seen[before]);
            } else {
                SAME(e.ioe_result, piece);
            }
        }
        QUIET(p);
    }
    GIVES(ioevent_close(fd), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    memset(data, 0x11, sizeof data);
    run(FILE_DISK, on_valgrind() ? 20000 : 300000);
    run(FILE_DISK, 512);
    run(FILE_MEMORY, 30000);
    return 0;
}
