/*
 * Large reads and writes of files, and fsync, that are cancelled, timed out, detached or closed at once: whether the
 * kernel is at work on each or not, each has exactly one event that says what happened, cancel counts those that it
 * ended and no others, and no buffer is touched after its event: rule 4.8, rule 2.2, rule 2.3.
 */
#include "test_file.h"

enum { N = 12, CANCEL, TIMEOUT, DETACHED, CLOSED, HOWS };

static size_t piece;
static char *buffer[N];
static struct iovec iov[N];

static void run(int how, bool writes)
{
    int p = OK(ioeventpipe(N + 1)), fd = disk_file(), check, ended = 0, counted = 0, queued = N;
    struct timespec soon = { 0, 2000000 };
    bool seen[N + 1] = { false };

    fill_file(fd, N * piece);
    uncache(fd);
    check = reopen(fd, O_RDONLY);
    ATTACH(fd, p, 0);
    if (how == TIMEOUT)
        GIVES(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &soon), 0);
    for (int i = 0; i < N; i++) {
        off_t at = (off_t)((size_t)i * piece);

        memset(buffer[i], writes ? 0x11 : 0xee, piece);
        iov[i] = (struct iovec){ buffer[i], piece };
        ATTACH(fd, p, i);
        if (writes && i % 2)
            QUEUED(ioevent_pwrite(fd, buffer[i], piece, at));
        else if (writes)
            QUEUED(ioevent_pwritev(fd, &iov[i], 1, at));
        else
            QUEUED(ioevent_pread(fd, buffer[i], piece, at));
    }
    if (writes) {
        ATTACH(fd, p, N);
        QUEUED(ioevent_fsync(fd));
        queued++;
    }
    switch (how) {
    case CANCEL: counted = OK(ioevent_cancel(fd)); break;
    case DETACHED: DETACH(fd); break;
    case CLOSED: GIVES(ioevent_close(fd), 0); break;
    }
    for (int k = 0; k < queued; k++) {
        struct ioevent e = HARVEST(p);
        uintptr_t i = (uintptr_t)e.ioe_user;

        CHECK(i <= N && !seen[i]);
        seen[i] = true;
        if (i == N && e.ioe_result == 0)
            continue;
        if (e.ioe_result == -1)
            SAME(e.ioe_errno, how == TIMEOUT ? ETIMEDOUT : ECANCELED);
        ended += i == N || e.ioe_result != (int)piece;
        if (i == N)
            continue;
        CHECK(e.ioe_result == -1 || (e.ioe_result > 0 && e.ioe_result <= (int)piece));
        if (!writes && e.ioe_result > 0)
            CHECK(is_pattern(buffer[i], i * piece, (size_t)e.ioe_result));
        if (e.ioe_result > 0 && writes) {
            OK(pread(check, buffer[i], (size_t)e.ioe_result, (off_t)(i * piece)));
            CHECK(is_all(buffer[i], 0x11, (size_t)e.ioe_result));
        }
        memset(buffer[i], 0x22, piece); /* it is the program's again */
    }
    if (how == CANCEL)
        SAME(ended, counted);
    STAYS_QUIET(p);
    for (int i = 0; i < N; i++)
        CHECK(is_all(buffer[i], 0x22, piece));
    for (int i = 0; i < N; i++) {
        size_t written = 0, at = (size_t)i * piece;

        OK(pread(check, buffer[i], piece, (off_t)at));
        while (writes && written < piece && buffer[i][written] == 0x11)
            written++;
        CHECK(is_pattern(buffer[i] + written, at + written, piece - written)); /* and nothing of what came later */
    }
    OK(close(check));
    if (how != CLOSED)
        GIVES(ioevent_close(fd), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    piece = on_valgrind() ? 100000 : 1 << 20;
    for (int i = 0; i < N; i++)
        buffer[i] = room(piece);
    for (int how = CANCEL; how < HOWS; how++)
        for (int writes = 0; writes < 2; writes++)
            run(how, writes);
    for (int i = 0; i < N; i++)
        free(buffer[i]);
    return 0;
}
