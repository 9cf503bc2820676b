/*
 * IOEVENT_STATS=1: the statistics of all pipes are in a file in memory among the descriptors, laid out as
 * ioevent_stats(3) says, whether the program does anything or not; others cannot change it; a forked child has it no
 * more; and a program that closes it among all the numbers it does not know loses that alone: rule 5.2, rule 5.5.
 */
#include "test.h"
#include "test_stats.h"
#include <sys/resource.h>

enum { CHANGES = 1, TIME, PROCESS, PIPES, FIRST, RECORD, ROOM };

static const char name[] = "/memfd:ioevent-stats";

/* The file, opened anew; -1 if there is none. */
static int published(void)
{
    DIR *dir = opendir("/proc/self/fd");
    char target[64];
    int fd = -1;

    CHECK(dir != NULL);
    for (struct dirent *entry; fd == -1 && (entry = readdir(dir));)
        if (readlinkat(dirfd(dir), entry->d_name, target, sizeof target) >= (ssize_t)sizeof name - 1
            && memcmp(target, name, sizeof name - 1) == 0)
            fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);
    closedir(dir);
    return fd;
}

static const uint64_t *map(int fd)
{
    const uint64_t *w = mmap(NULL, 65536, PROT_READ, MAP_SHARED, fd, 0);

    CHECK(w != MAP_FAILED);
    OK(close(fd));
    return w;
}

/* The record of a pipe, as it is at some moment; false: there is none. */
static bool record_of(const uint64_t *w, int p, struct ioevent_stats *stats, uint64_t *life)
{
    for (;;) {
        uint64_t before = GET(w[CHANGES]);
        bool found = false;

        for (uint64_t i = 0; i < GET(w[PIPES]) && !found; i++) {
            const uint64_t *r = w + w[FIRST] + i * w[RECORD];

            if ((found = r[0] == (uint64_t)p)) {
                *life = r[1];
                SAME(r[2], sizeof *stats);
                memcpy(stats, r + 3, sizeof *stats);
            }
        }
        if (before % 2 == 0 && GET(w[CHANGES]) == before)
            return found;
    }
}

int main(void)
{
    struct ioevent_stats s = { 0 }, exact;
    uint64_t life, first, changes;
    const uint64_t *w;
    int p, q, fd, before;
    pid_t pid;

    OK(setenv("IOEVENT_STATS", "1", 1));
    /* where the process may not make a file as large, there is none, and no signal */
    if (child(&pid)) {
        struct rlimit small = { 4096, 4096 };

        OK(setrlimit(RLIMIT_FSIZE, &small));
        p = OK(ioeventpipe(3));
        CHECK(published() == -1);
        GIVES(ioevent_close(p), 0);
        _exit(0);
    }
    CHILD_PASSED(pid);

    SAME(published(), -1);
    before = count_fds();
    p = OK(ioeventpipe(7));
    fd = published();
    CHECK(fd >= 0);
    /* of fixed size, and not for others to write */
    SAME(fcntl(fd, F_GET_SEALS) & (F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL),
         F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    CHECK(lseek(fd, 0, SEEK_END) == 65536);
    w = map(fd);
    CHECK(memcmp(w, "iostats1", 8) == 0);
    SAME(w[PROCESS], getpid());
    SAME(w[FIRST], 8);
    CHECK(w[RECORD] >= 3 + sizeof s / 8 && w[FIRST] + w[RECORD] * w[ROOM] <= 8192);

    /* it is published although nothing is attached, and nobody harvests */
    GIVES(ioevent_write(p, &(struct ioevent){ USER(1), 1, 0 }, sizeof(struct ioevent)), sizeof(struct ioevent));
    UNTIL(record_of(w, p, &s, &first) && s.ios_posts == 1);
    exact = stats_of(p);
    CHECK(memcmp(&s, &exact, sizeof s) == 0);
    EXPECT(p, 1, 1, 0);
    UNTIL(record_of(w, p, &s, &life) && s.ios_events == 1);
    SAME(life, first);

    /* more pipes; one that goes is gone at once, and another one with its number has another life */
    q = OK(ioeventpipe(9));
    UNTIL(record_of(w, q, &s, &life) && s.ios_capacity == 9);
    CHECK(life != first);
    first = life;
    GIVES(ioevent_close(q), 0);
    CHECK(!record_of(w, q, &s, &life));
    SAME(ioeventpipe(9), q);
    UNTIL(record_of(w, q, &s, &life));
    CHECK(life != first);
    GIVES(ioevent_close(q), 0);

    /* the child has neither; a pipe of its own is published elsewhere */
    if (child(&pid)) {
        CHECK(published() == -1);
        p = OK(ioeventpipe(3));
        w = map(published());
        SAME(w[PROCESS], getpid());
        UNTIL(record_of(w, p, &s, &life) && s.ios_capacity == 3);
        _exit(0);
    }
    CHILD_PASSED(pid);
    UNTIL(record_of(w, p, &s, &life) && s.ios_capacity == 7);

    /* the last one goes: none are there */
    GIVES(ioevent_close(p), 0);
    SAME(w[PIPES], 0);
    changes = w[CHANGES];
    SAME(count_fds(), before + 1);
    p = OK(ioeventpipe(4));
    UNTIL(record_of(w, p, &s, &life) && s.ios_capacity == 4);
    CHECK(GET(w[CHANGES]) > changes);

    /* all is closed: nothing happens to anybody else's file, and the next pipe works */
    OK((int)syscall(SYS_close_range, 3, ~0U, 0));
    CHECK(published() == -1);
    fd = OK(open("/dev/null", O_RDWR | O_CLOEXEC));
    p = OK(ioeventpipe(5));
    GIVES(ioevent_write(p, &(struct ioevent){ USER(1), 1, 0 }, sizeof(struct ioevent)), sizeof(struct ioevent));
    EXPECT(p, 1, 1, 0);
    OK(fcntl(fd, F_GETFD));
    return 0;
}
