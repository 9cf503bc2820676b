/*
 * A stress: threads do random operations on random descriptors of several kinds, harvest, cancel, detach, attach again
 * and close; every EIOEVENTQUEUED is counted against the events by user pointer: rule 2.2, rule 3.3, rule 4.3.
 *
 * STRESS_SECONDS=5 STRESS_SEED=1997 STRESS_THREADS=4
 */
#include "test.h"
#include <sys/eventfd.h>

enum { PAIRS = 24, PIPES = 2, PLACES = 60, LIFE_MAX = 200000 };

/* One attachment of one descriptor: its user pointer. */
struct life {
    long queued, events;
};

struct end {
    int fd;
    bool writes, reads, socket;
    struct life *life; /* NULL while it is not attached */
};

static struct pair {
    pthread_rwlock_t lock; /* held for reading while the numbers are used, for writing while they change */
    struct end end[2];
} pairs[PAIRS];

static struct life *lives;
static long nlives, queued, events, fulls;
static int pipes[PIPES], over;
static char scratch[1 << 16];
static const char source[1 << 17];

static struct life *new_life(void)
{
    long i = ADD(nlives, 1) - 1;

    CHECK(i < LIFE_MAX);
    return &lives[i];
}

static void attach(struct end *end, uint64_t *seed)
{
    struct life *life = new_life();

    ATTACH(end->fd, pipes[next_random(seed) % PIPES], life);
    end->life = life;
}

static void open_pair(struct pair *pair, uint64_t *seed)
{
    int fd[2];
    bool socket = true, both = true;

    switch (next_random(seed) % 5) {
    case 0:
        OK(pipe2(fd, O_CLOEXEC));
        socket = both = false;
        break;
    case 1:
        OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd));
        break;
    case 2:
        CHECK(tcp_pair(AF_INET, fd));
        break;
    case 3:
        fd[0] = OK(eventfd(0, 0));
        fd[1] = OK(dup(fd[0]));
        socket = false;
        break;
    default:
        unix_pair(fd);
        break;
    }
    for (int i = 0; i < 2; i++)
        pair->end[i] = (struct end){ .fd = fd[i], .reads = both || i == 0, .writes = both || i == 1, .socket = socket };
    attach(&pair->end[0], seed);
    attach(&pair->end[1], seed);
}

/* One operation on an attached end. */
static void operate(struct end *end, uint64_t *seed)
{
    struct life *life = end->life;
    uint32_t what = next_random(seed) % 8;
    size_t size = next_random(seed) % 3 ? next_random(seed) % 64 + 8 : next_random(seed) % sizeof scratch + 8;
    ssize_t n;

    if (!life)
        return;
    size = size > sizeof scratch ? sizeof scratch : size;
    ADD(life->queued, 1); /* before the event can come */
    if (what == 0)
        n = ioevent_poll(end->fd, next_random(seed) % 2 ? POLLIN : POLLOUT);
    else if (what < 5 && end->reads)
        n = end->socket && what == 1 ? ioevent_recv(end->fd, scratch, size, next_random(seed) % 4 ? 0 : MSG_PEEK)
                                     : ioevent_read(end->fd, scratch, size);
    else if (end->writes)
        n = end->socket && what == 5 ? ioevent_send(end->fd, source, size, 0)
                                     : ioevent_write(end->fd, source, end->socket ? size : 8);
    else
        n = ioevent_poll(end->fd, 0);
    SAME(n, -1);
    if (errno == EIOEVENTQUEUED) {
        ADD(queued, 1);
    } else {
        SAME(errno, EIOEVENTFULL);
        ADD(life->queued, -1);
        ADD(fulls, 1);
    }
}

static void harvest(uint64_t *seed)
{
    struct ioevent e[16];
    struct timespec t = { 0, next_random(seed) % 8 ? 0 : 200000 };
    int n = OK(ioevent_wait(pipes[next_random(seed) % PIPES], e, (int)(next_random(seed) % 16) + 1, &t));

    for (int i = 0; i < n; i++) {
        struct life *life = e[i].ioe_user;

        CHECK(life >= lives && life < lives + LIFE_MAX);
        CHECK(ADD(life->events, 1) <= GET(life->queued));
        CHECK(e[i].ioe_result >= 0 ? e[i].ioe_errno == 0 : e[i].ioe_errno > 0);
        CHECK(e[i].ioe_errno != EAGAIN && e[i].ioe_errno != EINTR);
    }
    ADD(events, n);
}

static void *worker(void *arg)
{
    uint64_t seed = 88172645463325252ull ^ (uint64_t)(uintptr_t)arg * 2654435761u;

    while (!GET(over)) {
        struct pair *pair = &pairs[next_random(&seed) % PAIRS];
        struct end *end = &pair->end[next_random(&seed) % 2];
        uint32_t what = next_random(&seed) % 100;

        if (what < 45) {
            harvest(&seed);
        } else if (what < 90) {
            ZERO(pthread_rwlock_rdlock(&pair->lock));
            for (int i = 0; i < 3; i++)
                operate(end, &seed);
            ZERO(pthread_rwlock_unlock(&pair->lock));
        } else if (what < 94) {
            ZERO(pthread_rwlock_rdlock(&pair->lock));
            if (ioevent_cancel(end->fd) == -1)
                SAME(errno, EINVAL);
            ZERO(pthread_rwlock_unlock(&pair->lock));
        } else if (what < 97) {
            ZERO(pthread_rwlock_wrlock(&pair->lock));
            if (what == 94 && end->life) {
                DETACH(end->fd);
                end->life = NULL;
            } else {
                attach(end, &seed);
            }
            ZERO(pthread_rwlock_unlock(&pair->lock));
        } else {
            ZERO(pthread_rwlock_wrlock(&pair->lock));
            GIVES(ioevent_close(pair->end[what % 2].fd), 0);
            GIVES(ioevent_close(pair->end[!(what % 2)].fd), 0);
            open_pair(pair, &seed);
            ZERO(pthread_rwlock_unlock(&pair->lock));
        }
    }
    return NULL;
}

static long setting(const char *name, long otherwise)
{
    const char *s = getenv(name);

    return s ? atol(s) : otherwise;
}

int main(void)
{
    long seconds = setting("STRESS_SECONDS", 5), seed = setting("STRESS_SEED", 1997);
    long threads = setting("STRESS_THREADS", 4);
    uint64_t random = (uint64_t)seed * 6364136223846793005ull + 1442695040888963407ull;
    pthread_t t[64];
    long long end = now_ns() + seconds * 1000000000LL;
    int before = count_fds();

    lives = mmap(NULL, LIFE_MAX * sizeof *lives, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(lives != MAP_FAILED);
    CHECK(threads > 0 && threads <= 64);
    for (int i = 0; i < PIPES; i++)
        pipes[i] = OK(ioeventpipe(PLACES));
    for (int i = 0; i < PAIRS; i++) {
        pthread_rwlockattr_t attr;

        pthread_rwlockattr_init(&attr);
        pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
        pthread_rwlock_init(&pairs[i].lock, &attr);
        open_pair(&pairs[i], &random);
    }
    for (long i = 0; i < threads; i++)
        t[i] = start_thread(worker, (void *)(uintptr_t)next_random(&random));
    while (now_ns() < end && GET(nlives) < LIFE_MAX - 10000)
        breathe();
    SET(over, 1);
    for (long i = 0; i < threads; i++)
        ZERO(pthread_join(t[i], NULL));
    for (int i = 0; i < PAIRS; i++)
        for (int k = 0; k < 2; k++)
            GIVES(ioevent_close(pairs[i].end[k].fd), 0);
    while (events < queued) {
        long was = events;

        harvest(&random);
        CHECK(events > was || was < queued);
    }
    for (int i = 0; i < PIPES; i++)
        STAYS_QUIET(pipes[i]);
    printf("seed %ld: %ld queued, %ld events, %ld full, %ld attachments\n", seed, queued, events, fulls, nlives);
    SAME(events, queued);
    for (long i = 0; i < nlives; i++)
        SAME(lives[i].events, lives[i].queued);
    CHECK(queued > 1000);
    for (int i = 0; i < PIPES; i++)
        GIVES(ioevent_close(pipes[i]), 0);
    CHECK(count_fds() <= before + 4); /* what the library keeps */
    return 0;
}
