/*
 * What the library does for itself is invisible: its threads block all signals, it sets no handler, its descriptors
 * are close-on-exec: rule 5.5.
 */
#include "test.h"

static bool known_fd(int fd, const int *mine, int n)
{
    for (int i = 0; i < n; i++)
        if (mine[i] == fd)
            return true;
    return false;
}

/* The signals that a thread blocks, from /proc. */
static unsigned long long blocked(int tid)
{
    char path[64], line[256];
    unsigned long long mask = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/self/task/%d/status", tid);
    f = fopen(path, "r");
    if (!f)
        return ~0ull; /* it has ended */
    while (fgets(line, sizeof line, f))
        sscanf(line, "SigBlk: %llx", &mask);
    fclose(f);
    return mask;
}

int main(void)
{
    int mine[1024], n = 0, p, fd[2], pipes[2], self = gettid();
    struct sigaction before[65], after;
    static char out[8 << 20];
    char b[8];
    DIR *dir;

    NEEDS_PROC();
    for (int s = 1; s <= 64; s++)
        if (sigaction(s, NULL, &before[s]) == -1)
            before[s].sa_handler = SIG_ERR;
    for (int i = 0; i < 1024; i++)
        if (fcntl(i, F_GETFD) >= 0)
            mine[n++] = i;

    p = mine[n++] = OK(ioeventpipe2(8, O_NONBLOCK));
    unix_pair(fd);
    OK(pipe(pipes));
    mine[n++] = fd[0];
    mine[n++] = fd[1];
    mine[n++] = pipes[0];
    mine[n++] = pipes[1];
    ATTACH(fd[0], p, 1);
    ATTACH(pipes[0], p, 2);
    QUEUED(ioevent_write(fd[0], out, sizeof out));
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    QUEUED(ioevent_read(pipes[0], b, sizeof b));
    QUEUED(ioevent_poll(fd[0], 0));
    QUIET(p);

    for (int i = 0; i < 1024; i++) {
        int flags = fcntl(i, F_GETFD);

        if (flags >= 0 && !known_fd(i, mine, n))
            SAME(flags & FD_CLOEXEC, FD_CLOEXEC);
    }
    dir = opendir("/proc/self/task");
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));) {
        int tid = atoi(entry->d_name);
        /* not SIGKILL, SIGSTOP, and those of libc's own */
        unsigned long long all = (1ull << 31) - 1 - (1ull << 8) - (1ull << 18);

        for (int s = SIGRTMIN; s <= SIGRTMAX; s++)
            all |= 1ull << (s - 1);


        if (tid > 0 && tid != self && !on_valgrind()) /* which has masks of its own */
            SAME(blocked(tid) & all, all);
    }
    closedir(dir);
    for (int s = 1; s <= 64; s++)
        if (sigaction(s, NULL, &after) == 0)
            CHECK(after.sa_handler == before[s].sa_handler);
    return 0;
}
