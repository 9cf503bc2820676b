/*
 * ioetop: what the ioevent pipes of another process are doing, once a second.
 *
 *     IOEVENT_STATS=1 ./server &
 *     ioetop $!                  until it is interrupted, or the process ends
 *     ioetop -n 10 PID           ten times
 *     ioetop -1 PID              once, at once: all since each pipe was made, rather than per second
 *
 * The process publishes its statistics, if it was started with IOEVENT_STATS=1, in a file in memory that is among its
 * descriptors; ioevent_stats(3) says what is where in it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <ioevent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LAYOUT UINT64_C(0x3173746174736f69) /* "iostats1" */
#define NAME   "/memfd:ioevent-stats"

enum { CHANGES = 1, TIME, PROCESS, PIPES, FIRST, RECORD, ROOM, HEAD };
enum { DESCRIPTOR, LIFE, SIZE, STATS };

/* A copy of what is published, or of what was. */
struct copy {
    uint64_t *words;
    size_t length;
};

static __attribute__((noreturn)) void usage(void)
{
    fputs("usage: ioetop [-1 | -n COUNT] PID\n", stderr);
    exit(2);
}

static __attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("ioetop: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    exit(1);
}

static long number(const char *text, long most, const char *what)
{
    char *end;
    long n;

    errno = 0;
    n = strtol(text, &end, 10);
    if (errno || end == text || *end || n < 1 || n > most)
        fail("\"%s\" is no number of %s", text, what);
    return n;
}

static void pause_for(long milliseconds)
{
    nanosleep(&(struct timespec){ milliseconds / 1000, milliseconds % 1000 * 1000000 }, NULL);
}

/* The file among the descriptors of the process. */
static int find(pid_t pid)
{
    char path[64], target[sizeof NAME];
    DIR *directory;
    int fd = -1;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    directory = opendir(path);
    if (!directory && errno == ENOENT)
        fail(access("/proc/self", F_OK) == 0 ? "there is no process %d" : "process %d: no /proc to find it in", (int)pid);
    if (!directory)
        fail("process %d: its descriptors cannot be read: %s", (int)pid, strerror(errno));
    for (struct dirent *entry; fd == -1 && (entry = readdir(directory));)
        if (readlinkat(dirfd(directory), entry->d_name, target, sizeof target) >= (ssize_t)sizeof NAME - 1
            && memcmp(target, NAME, sizeof NAME - 1) == 0) {
            fd = openat(dirfd(directory), entry->d_name, O_RDONLY | O_CLOEXEC);
            if (fd == -1 && errno != ENOENT)
                fail("process %d: its statistics cannot be read: %s", (int)pid, strerror(errno));
        }
    closedir(directory);
    if (fd == -1)
        fail("process %d publishes no statistics: it has made no ioevent pipe, or was started without IOEVENT_STATS=1",
             (int)pid);
    return fd;
}

/* Copies all of it, in between two changes. */
static void take(struct copy *to, const uint64_t *page)
{
    for (int tries = 0; tries < 1000; tries++) {
        uint64_t before = __atomic_load_n(&page[CHANGES], __ATOMIC_ACQUIRE);

        for (size_t i = 0; i < to->length; i++)
            to->words[i] = __atomic_load_n(&page[i], __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (before % 2 == 0 && __atomic_load_n(&page[CHANGES], __ATOMIC_RELAXED) == before)
            return;
        pause_for(1);
    }
    fail("its statistics are being changed all the time");
}

/* The records of a copy: how many there are, and one of them. What does not fit into the file is not there. */
static size_t records(const struct copy *copy)
{
    const uint64_t *w = copy->words;
    uint64_t n = w[PIPES] < w[ROOM] ? w[PIPES] : w[ROOM];

    if (w[RECORD] <= STATS || w[FIRST] > copy->length || n > (copy->length - w[FIRST]) / w[RECORD])
        fail("its statistics make no sense");
    return n;
}

static const uint64_t *record(const struct copy *copy, size_t i)
{
    return copy->words + copy->words[FIRST] + i * copy->words[RECORD];
}

/* The statistics of a record, as far as both this program and that process know them. */
static struct ioevent_stats stats_of(const uint64_t *record, uint64_t length)
{
    struct ioevent_stats stats = { 0 };
    uint64_t size = record[SIZE], most = (length - STATS) * sizeof *record;

    size = size < most ? size : most;
    memcpy(&stats, record + STATS, size < sizeof stats ? size : sizeof stats);
    return stats;
}

/* What a pipe had a moment ago; all zeros if it is new. */
static struct ioevent_stats stats_before(const struct copy *copy, const uint64_t *now)
{
    for (size_t i = 0; i < records(copy); i++)
        if (record(copy, i)[LIFE] == now[LIFE])
            return stats_of(record(copy, i), copy->words[RECORD]);
    return (struct ioevent_stats){ 0 };
}

/* Shows all pipes; `before` is NULL where all is to be shown since they were made. */
static void show(const struct copy *now, const struct copy *before)
{
    double seconds = before ? (double)(now->words[TIME] - before->words[TIME]) / 1e9 : 1;

    printf("%5s %7s %7s %7s %8s | %8s %8s | %8s %8s %8s %8s %8s %8s %8s %8s %8s | %8s %8s %8s %8s %8s\n", "PIPE",
           "TAKEN", "MOST", "OF", "ATTACHED", "OPS", "EVENTS", "READS", "WRITES", "ACCEPTS", "CONNECTS", "POLLS",
           "TIMERS", "POSTS", "OTHERS", "INLINE", "FULL", "TAKEOVER", "WAKE-UPS", "EMPTY", "JOBS");
    for (size_t i = 0; i < records(now); i++) {
        const uint64_t *r = record(now, i);
        struct ioevent_stats s = stats_of(r, now->words[RECORD]), b = { 0 };

        if (before)
            b = stats_before(before, r);
/* What has been counted since then, per second. (Reads may go back by some.) */
#define SINCE(field) ((s.field > b.field ? (double)(s.field - b.field) : 0) / (seconds > 0 ? seconds : 1))
        double others = SINCE(ios_transfers) + SINCE(ios_syncs) + SINCE(ios_shutdowns) + SINCE(ios_waits);
        double named = SINCE(ios_reads) + SINCE(ios_writes) + SINCE(ios_accepts) + SINCE(ios_connects)
                       + SINCE(ios_polls) + SINCE(ios_timers);

        printf("%5" PRId64 " %7" PRIu64 " %7" PRIu64 " %7" PRIu64 " %8" PRIu64
               " | %8.0f %8.0f | %8.0f %8.0f %8.0f %8.0f %8.0f %8.0f %8.0f %8.0f %8.0f | %8.0f %8.0f %8.0f %8.0f %8.0f\n",
               (int64_t)r[DESCRIPTOR], s.ios_places, s.ios_places_max, s.ios_capacity, s.ios_attached,
               named + others + SINCE(ios_inline), SINCE(ios_events), SINCE(ios_reads), SINCE(ios_writes),
               SINCE(ios_accepts), SINCE(ios_connects), SINCE(ios_polls), SINCE(ios_timers), SINCE(ios_posts), others,
               SINCE(ios_inline), SINCE(ios_full), SINCE(ios_takeovers), SINCE(ios_wakeups), SINCE(ios_empty_looks),
               SINCE(ios_jobs));
#undef SINCE
    }
    if (now->words[PIPES] > now->words[ROOM])
        printf("and %" PRIu64 " more\n", now->words[PIPES] - now->words[ROOM]);
    fflush(stdout);
}

/* Waits until there is something new, for some seconds at most. False if the process has ended. */
static int wait_for_change(const uint64_t *page, const struct copy *before, pid_t pid)
{
    for (int i = 0; i < 60; i++) {
        if (kill(pid, 0) == -1 && errno == ESRCH)
            return 0;
        if (__atomic_load_n(&page[CHANGES], __ATOMIC_ACQUIRE) != before->words[CHANGES])
            break;
        pause_for(50);
    }
    return 1;
}

int main(int argc, char **argv)
{
    long rounds = 0; /* 0: without end */
    int once = 0, fd;
    struct stat status;
    const uint64_t *page;
    struct copy now, before;
    pid_t pid;

    opterr = 0;
    for (int letter; (letter = getopt(argc, argv, "1n:")) != -1;) {
        if (letter == '?')
            usage();
        once |= letter == '1';
        if (letter == 'n')
            rounds = number(optarg, 1000000000, "times");
    }
    if (argc - optind != 1)
        usage();
    pid = (pid_t)number(argv[optind], INT32_MAX, "a process");

    fd = find(pid);
    if (fstat(fd, &status) == -1 || status.st_size < HEAD * (off_t)sizeof *page)
        fail("process %d: its statistics are too short", (int)pid);
    page = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        fail("process %d: its statistics cannot be read: %s", (int)pid, strerror(errno));
    if (page[0] != LAYOUT)
        fail("process %d: its statistics are of another version than this program", (int)pid);
    now.length = before.length = (size_t)status.st_size / sizeof *page;
    now.words = calloc(now.length, sizeof *page);
    before.words = calloc(before.length, sizeof *page);
    if (!now.words || !before.words)
        fail("no memory");

    take(&now, page);
    if (now.words[PIPES] == 0)
        fail("process %d has no ioevent pipe now", (int)pid);
    if (once) {
        printf("process %d, since each pipe was made\n", (int)pid);
        show(&now, NULL);
        return 0;
    }
    for (long round = 0; rounds == 0 || round < rounds; round++) {
        struct copy older = before;

        before = now;
        now = older;
        if (!wait_for_change(page, &before, pid))
            fail("process %d has ended", (int)pid);
        take(&now, page);
        if (isatty(STDOUT_FILENO))
            fputs("\033[H\033[J", stdout);
        printf("process %d, per second\n", (int)pid);
        show(&now, &before);
    }
    return 0;
}
