/*
 * Files work in a forked child, though the threads that wait for disks did not come with it; the parent's operations,
 * at work during the fork, go on: rule 5.2.
 */
#include "test_file.h"

enum { N = 48, FORKS = 12 };

static size_t piece;

static void in_child(int file, int p, char *buffer)
{
    int q;

    alarm((unsigned)test_timeout());
    ATTACHED(file, -1, 0);
    CHECK(ioevent_close(p) == 0);
    q = OK(ioeventpipe(N));
    ATTACH(file, q, 5);
    uncache(file);
    for (size_t i = 0; i < N; i++)
        QUEUED(ioevent_pread(file, buffer + i * piece, piece, (off_t)(i * piece)));
    for (int i = 0; i < N; i++)
        EXPECT(q, 5, (long)piece, 0);
    CHECK(is_pattern(buffer, 0, N * piece));
    QUEUED(ioevent_pwrite(file, buffer, piece, 0));
    EXPECT(q, 5, (long)piece, 0);
    QUEUED(ioevent_fsync(file));
    EXPECT(q, 5, 0, 0);
    GIVES(ioevent_close(file), 0);
    GIVES(ioevent_close(q), 0);
    _exit(0);
}

int main(void)
{
    int file = disk_file(), p = OK(ioeventpipe(N));
    char *buffer;
    /* memcheck counts what the threads that are not in the child had as lost there: fork before there are any */
    int forks = on_valgrind() ? 1 : FORKS;
    pid_t pid;

    if (ON_ASAN)
        SKIP("malloc of the address sanitizer hangs in such a child");
    piece = on_valgrind() ? 4096 : 65536;
    buffer = room(N * piece);
    fill_file(file, N * piece);
    ATTACH(file, p, 1);
    for (int k = 0; k < forks; k++) {
        memset(buffer, 0, N * piece);
        uncache(file);
        if (k) /* first without any such thread in the parent */
            for (size_t i = 0; i < N; i++)
                QUEUED(ioevent_pread(file, buffer + i * piece, piece, (off_t)(i * piece)));
        if (child(&pid))
            in_child(file, p, buffer);
        for (int i = 0; k && i < N; i++)
            EXPECT(p, 1, (long)piece, 0);
        if (k)
            CHECK(is_pattern(buffer, 0, N * piece));
        CHILD_PASSED(pid);
        QUIET(p);
        ATTACHED(file, p, 1);
    }
    STAYS_QUIET(p);
    free(buffer);
    return 0;
}
