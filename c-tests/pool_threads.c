/*
 * The threads that wait for disks come only when there is need for them, block all signals, and go away after some
 * time without work; then they come again: rule 5.5, rule 4.1. They are named ioevent, as the one that watches is.
 */
#include "test_file.h"

enum { N = 64, PIECE = 16384 };

/* How many threads of that name there are; each blocks all signals. */
static int pool(void)
{
    DIR *dir = opendir("/proc/self/task");
    int n = 0;

    NEEDS_PROC();
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[300], line[256], name[32] = "";
        int threads = 0;
        unsigned long long mask = ~0ull, all = ~0ull & ~(1ull << 8) & ~(1ull << 18) & ~(1ull << 31) & ~(1ull << 32);
        FILE *f;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        f = fopen(path, "r");
        if (!f)
            continue; /* it has ended */
        while (fgets(line, sizeof line, f)) {
            sscanf(line, "Name: %31s", name);
            sscanf(line, "SigBlk: %llx", &mask);
            sscanf(line, "Threads: %d", &threads);
        }
        fclose(f);
        if (strncmp(name, "ioevent", 7) != 0 || threads == 0) /* 0: it is ending, and has no signal mask any more */
            continue;
        n++;
        if (!on_valgrind()) /* which has masks of its own */
            SAME(mask & all, all);
    }
    closedir(dir);
    return n;
}

int main(void)
{
    static char buffer[N * PIECE];
    int p = OK(ioeventpipe(N)), fd[2], file = disk_file(), most = 0;
    char b[4];

    fill_file(file, sizeof buffer);
    ATTACH(file, p, 1);
    unix_pair(fd);
    ATTACH(fd[0], p, 2);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    QUIET(p);
    OK(write(fd[1], "abc", 3));
    EXPECT(p, 2, 3, 0);
    CHECK(pool() <= 1); /* no file was read or written */

    for (int round = 0; round < 2; round++) {
        memset(buffer, 0, sizeof buffer);
        uncache(file);
        for (size_t i = 0; i < N; i++)
            QUEUED(ioevent_pread(file, buffer + i * PIECE, PIECE, (off_t)(i * PIECE)));
        for (int i = 0; i < N; i++) {
            int now = pool();

            most = now > most ? now : most;
            EXPECT(p, 1, PIECE, 0);
        }
        CHECK(is_pattern(buffer, 0, sizeof buffer));
        CHECK(most <= N + 1);
        UNTIL(pool() <= 1); /* with the pipe open: what watches may stay */
    }

    /* nothing stays without pipes */
    GIVES(ioevent_close(p), 0);
    UNTIL(pool() == 0);
    p = OK(ioeventpipe(4));
    ATTACH(file, p, 3);
    QUEUED(ioevent_fsync(file));
    EXPECT(p, 3, 0, 0);
    GIVES(ioevent_close(p), 0);
    UNTIL(pool() == 0);
    return 0;
}
