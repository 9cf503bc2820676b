/*
 * ioevent_stats(3): what many threads do at once on one pipe is counted exactly, whichever of them are gone by then,
 * while another thread looks all the time: what it sees never goes back, but for reads, which may, by as many as are
 * under way: rule 7.3.
 */
#include "test.h"
#include "test_stats.h"

/* What a thread is about to count: a harvest of four, and what it counts next. */
enum { THREADS = 6, MOST = 3000, UNDER_WAY = THREADS * 5 };

static int p, stop, left, rounds = MOST;

/* Queues a write and a read, harvests as much as there is, whosever it is; goes on until all are harvested. */
static void *work(void *unused)
{
    int fd[2];
    char in[MOST], out[1] = { 'x' };
    struct ioevent e[4];

    unix_pair(fd);
    ATTACH(fd[0], p, 0);
    ATTACH(fd[1], p, 0);
    for (int i = 0; i < rounds; i++) {
        if (i % 2) {
            QUEUED(ioevent_write(fd[1], out, 1));
            QUEUED(ioevent_read(fd[0], &in[i], 1));
        } else {
            QUEUED(ioevent_read(fd[0], &in[i], 1));
            QUEUED(ioevent_write(fd[1], out, 1));
        }
        ADD(left, -OK(ioevent_wait(p, e, 4, &no_wait)));
    }
    while (GET(left) > 0)
        ADD(left, -OK(ioevent_wait(p, e, 4, &(struct timespec){ 0, 5000000 })));
    GIVES(ioevent_close(fd[0]), 0);
    GIVES(ioevent_close(fd[1]), 0);
    return unused;
}

static void *watch(void *unused)
{
    struct ioevent_stats a = stats_of(p);

    while (!GET(stop)) {
        struct ioevent_stats b = stats_of(p);

        CHECK(b.ios_writes >= a.ios_writes && b.ios_events >= a.ios_events && b.ios_wakeups >= a.ios_wakeups);
        CHECK(b.ios_takeovers >= a.ios_takeovers && b.ios_empty_looks >= a.ios_empty_looks);
        CHECK(b.ios_places_max >= a.ios_places_max && b.ios_places <= b.ios_capacity);
        CHECK(b.ios_reads + UNDER_WAY >= a.ios_reads && b.ios_reads <= (uint64_t)(THREADS * rounds + UNDER_WAY));
        a = b;
    }
    return unused;
}

int main(void)
{
    pthread_t threads[THREADS], watcher;
    struct ioevent_stats s;
    struct ioevent e;

    if (on_valgrind())
        rounds = 200;
    /* one thread, while another one looks: that one is no reason to lock */
    p = OK(ioeventpipe(100));
    watcher = start_thread(watch, NULL);
    left = 2 * rounds;
    work(NULL);
    SET(stop, 1);
    ZERO(pthread_join(watcher, NULL));
    s = stats_of(p);
    SAME(s.ios_reads, rounds);
    SAME(s.ios_writes, rounds);
    SAME(s.ios_events, 2 * rounds);
    SAME(s.ios_takeovers, 0);
    GIVES(ioevent_close(p), 0);

    p = OK(ioeventpipe(2 * THREADS * rounds));
    left = 2 * THREADS * rounds;
    SET(stop, 0);
    watcher = start_thread(watch, NULL);
    for (int i = 0; i < THREADS; i++)
        threads[i] = start_thread(work, NULL);
    for (int i = 0; i < THREADS; i++)
        ZERO(pthread_join(threads[i], NULL));
    SET(stop, 1);
    ZERO(pthread_join(watcher, NULL));
    s = stats_of(p);
    SAME(s.ios_reads, THREADS * rounds);
    SAME(s.ios_writes, THREADS * rounds);
    SAME(s.ios_events, 2 * THREADS * rounds);
    SAME(s.ios_places, 0);
    SAME(s.ios_attached, 0);
    SAME(all_queued(&s), s.ios_events);
    CHECK(s.ios_places_max >= 2 && s.ios_places_max <= s.ios_capacity);
    GIVES(ioevent_close(p), 0);

    /* the descriptor becomes readable: that is a wake-up; once, for what is there already */
    p = OK(ioeventpipe2(4, O_NONBLOCK));
    COUNTED(p, wakeups, 0);
    for (int i = 0; i < 2; i++)
        GIVES(ioevent_write(p, &(struct ioevent){ USER(1), 1, 0 }, sizeof e), sizeof e);
    COUNTED(p, wakeups, 1);
    EXPECT(p, 1, 1, 0);
    return 0;
}
