/*
 * Out of memory just when the library's thread has more pipes to watch: nothing is lost, least of all the process: rule
 * 5.4. It took memory for its list without asking, and aborted. Operations go on when there is memory again.
 */
#include "test.h"

#include <malloc.h>
#include <sys/resource.h>

enum { PIPES = 12 };

/* Takes all memory that malloc has to give. */
static void exhaust(void)
{
    struct rlimit limit;
    unsigned long pages;
    FILE *statm = fopen("/proc/self/statm", "r");

    CHECK(statm != NULL && fscanf(statm, "%lu", &pages) == 1);
    fclose(statm);
    ZERO(getrlimit(RLIMIT_AS, &limit));
    limit.rlim_cur = pages * (rlim_t)sysconf(_SC_PAGESIZE) + (64 << 10);
    ZERO(setrlimit(RLIMIT_AS, &limit));
    for (size_t size = 1 << 16; size >= 16; size /= 2)
        while (malloc(size) != NULL) {}
}

int main(void)
{
    int pipes[PIPES], pairs[PIPES][2], attached = 0;
    bool is_queued[PIPES] = {false};
    struct rlimit unlimited;
    static char b[PIPES];

    NEEDS_PROC();
    if (on_valgrind() || ON_ASAN)
        SKIP("memory that is limited is the checker's too");
    /* One heap for all threads, so that it is the library's thread that finds none left. */
#ifdef M_ARENA_MAX
    CHECK(mallopt(M_ARENA_MAX, 1) == 1);
#endif
    ZERO(getrlimit(RLIMIT_AS, &unlimited));
    for (int i = 0; i < PIPES; i++) {
        unix_pair(pairs[i]);
        pipes[i] = OK(ioeventpipe(4));
        if (i == 0) {
            ATTACH(pairs[0][0], pipes[0], 1);
            for (int ms = 0; ms < 50; ms++)
                breathe();
        }
    }
    exhaust();
    for (int i = 1; i < PIPES; i++) {
        if (ioevent_fcntl(pairs[i][0], F_SETIOEVENTPIPE, pipes[i], (void *)1) == -1) {
            CHECK(errno == ENOMEM);
            continue;
        }
        attached++;
        CHECK(ioevent_read(pairs[i][0], &b[i], 1) == -1 && (errno == EIOEVENTQUEUED || errno == ENOMEM));
        is_queued[i] = errno == EIOEVENTQUEUED;
    }
    for (int ms = 0; ms < 100; ms++)
        breathe();
    ZERO(setrlimit(RLIMIT_AS, &unlimited));
    CHECK(attached > 0);
    for (int i = 1; i < PIPES; i++)
        if (is_queued[i]) {
            GIVES(write(pairs[i][1], "x", 1), 1);
            EXPECT(pipes[i], 1, 1, 0);
        }
    return 0;
}
