/*
 * The torture: many threads do random operations of all kinds on many descriptors of all kinds, harvest, cancel,
 * detach, attach again, resize, post, and close descriptors and pipes. Checked, for the whole of it: every
 * EIOEVENTQUEUED has exactly one event, or its pipe was closed (rule 2.2, rule 3.7); results and errors are those that
 * a blocking call could have (rule 2.4); streams and messages arrive in order and whole, ended early or not (rule 2.5);
 * no buffer is touched after its event (rule 2.3); nothing ends early that nobody ended, or before its time (rule 4.3,
 * rule 4.6, rule 4.7); nothing waits that is ready (rule 2.7); the places taken are those (rule 3.1); no flag of a file
 * is changed (rule 4.5); descriptors and memory do not grow. Threads come and go meanwhile (rule 5.3).
 *
 *   torture [-t THREADS] [-s SECONDS] [-r SEED] [-k KINDS] [-x ACTIONS]
 *
 * With -t 0 the first thread does it all, beside which there are only the library's own.
 * TORTURE_THREADS, TORTURE_SECONDS, TORTURE_SEED, TORTURE_KINDS and TORTURE_ACTIONS say the same. KINDS and ACTIONS are
 * for narrowing a failure down: bits of `enum kind` that are used, of `enum action` that are not.
 *
 * How it counts. Half of the operations go through ioevent_submit, with a user pointer of their own that is never used
 * twice; the others are plain calls, counted by the attachment ("life") whose user pointer they have. On descriptors
 * whose bytes are verified a life has one plain call outstanding at a time, so that its event is known, too; on the
 * `mixed` ones many. Every so often all threads pause, all that can happen happens, and what is still waiting is looked
 * at; every third time everything is closed, and nothing may be left.
 */
#include "test.h"
#include <getopt.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/timerfd.h>
#include <termios.h>

#if defined __SANITIZE_THREAD__
#define ON_TSAN true
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define ON_TSAN true
#endif
#endif
#ifndef ON_TSAN
#define ON_TSAN false
#endif

enum {
    SLOTS = 40, PIPES = 4, THREADS_MAX = 48, SMALL_OPS = 3000, BIG_OPS = 64, OPS = SMALL_OPS + BIG_OPS, LIVES = 4000,
    CHANS = 600, CONNS = 400, ENDS = 3, RETIRED = 64, PIPE_OBJECTS = PIPES + RETIRED + THREADS_MAX + 1,
    SMALL_ROOM = 4096, BIG_ROOM = 160 * 1024, FILE_SIZE = 1 << 20, LOG_MAX = 48, MESSAGE_MAX = 3000, POISON = 0xa5,
    POSTED = 26, WHATS, FOREIGN = 2,
};

static const long long US = 1000, MS = 1000000, SECOND = 1000000000;

/* ---- the cast ---- */

enum kind {
    K_UNIX, K_TCP, K_PIPE, K_FIFO, K_PTY, K_DGRAM, K_SEQPACKET, K_FILE_READ, K_FILE_WRITE, K_COUNTER, K_CLOCK,
    K_FILE_AT, K_LISTEN_TCP, K_LISTEN_UNIX, K_MIX_UNIX, K_MIX_TCP, K_MIX_UDP, KINDS
};

static const struct kind_info {
    const char *name;
    bool socket;
    bool stream;   /* end 1 writes bytes, end 0 reads them */
    bool messages; /* the same with messages */
    bool mixed;    /* nothing is verified, so many plain calls are outstanding at once */
} kind_info[KINDS] = {
    [K_UNIX] = { "unix", true, true, false, false },
    [K_TCP] = { "tcp", true, true, false, false },
    [K_PIPE] = { "pipe", false, true, false, false },
    [K_FIFO] = { "fifo", false, true, false, false },
    [K_PTY] = { "pty", false, true, false, false },
    [K_DGRAM] = { "dgram", true, false, true, false },
    [K_SEQPACKET] = { "seqpacket", true, false, true, false },
    [K_FILE_READ] = { "file-read", false, true, false, false },
    [K_FILE_WRITE] = { "file-write", false, true, false, false },
    [K_COUNTER] = { "eventfd", false, false, false, false },
    [K_CLOCK] = { "timerfd", false, false, false, false },
    [K_FILE_AT] = { "file-at", false, false, false, false },
    [K_LISTEN_TCP] = { "listen-tcp", true, false, false, false },
    [K_LISTEN_UNIX] = { "listen-unix", true, false, false, false },
    [K_MIX_UNIX] = { "mixed-unix", true, false, false, true },
    [K_MIX_TCP] = { "mixed-tcp", true, false, false, true },
    [K_MIX_UDP] = { "mixed-udp", true, false, false, true },
};

enum action {
    A_HARVEST, A_OPERATE, A_CANCEL, A_DETACH, A_ATTACH, A_MOVE, A_TIMEO, A_FLAGS, A_DUP, A_CLOSE, A_CONNECT, A_POST,
    A_TIMER, A_CANCEL_TIMERS, A_RESIZE, A_CLOSE_PIPE, A_EXIT, ACTIONS
};

static const char *const what_name[WHATS] = {
    "?", "read", "write", "readv", "writev", "pread", "pwrite", "preadv", "pwritev", "recv", "recvfrom", "recvmsg",
    "send", "sendto", "sendmsg", "accept", "accept4", "connect", "sendfile", "splice", "fsync", "fdatasync", "waitid",
    "shutdown", "poll", "timer", "posted"
};

enum { IN, OUT, POLL, DIRECTIONS };

/* What the library may use until the event has been read; poisoned at all other times. */
struct room {
    struct msghdr msg;
    struct iovec iov[3];
    struct sockaddr_storage addr;
    socklen_t addrlen;
    off_t at;
    unsigned char data[];
};

enum { FREE, BUSY, DONE };

struct op {
    int state; /* BUSY from before the call until its event, or until the call was refused */
    unsigned index;
    uint64_t generation;
    struct room *room;
    size_t size; /* of room->data */
    struct life *life; /* of a plain call */
    struct pipe *pipe;
    bool cancel_asked; /* by its user pointer */
    /* from here on zeroed for each use */
    int what, direction, flags;
    struct chan *chan;
    struct end *end;
    struct conn *conn;
    size_t len, start; /* bytes, and where in the pattern they begin */
    size_t matched;    /* bytes that were compared */
    uint64_t value;
    long long begun, limit;
    long cancels; /* cancels that were over when it began */
    int other[2]; /* a pipe of its own, for splice and sendfile */
    bool logged, done, direct, poisoned;
    long result;
    int err;
    struct op *next, *log;
};

/* One attachment of one descriptor: its user pointer. */
struct life {
    pthread_mutex_t mutex;
    unsigned index;
    uint64_t generation;
    bool used, retired, cancel_asked;
    long queued, events;
    struct op *ops;
    struct chan *chan;
    struct pipe *pipe;
    struct life *next;
};

struct pipe {
    pthread_rwlock_t lock; /* held for reading by calls that would act on another file if the number were used anew */
    int fd;
    bool nonblock, closed;
    long started, finished; /* cancels of its timers */
    int readers;            /* in a read that waits */
    long long until;        /* may be closed from then on */
    struct pipe *next;
};

struct end {
    int fd, file_flags;
    bool reads, writes;
    pthread_rwlock_t plain; /* plain calls would wait for ever on a descriptor that is not attached */
    struct pipe *pipe;      /* NULL while it is not attached */
    struct pipe *last;
    struct life *life;
    int flags;
    long detaches; /* odd during one */
    long started[DIRECTIONS], finished[DIRECTIONS]; /* cancels */
    long long timeo;                                /* the shortest that it ever had */
    void *lately;                                   /* user pointer of some operation */
};

/* One or two descriptors that belong together. */
struct chan {
    enum kind kind;
    const struct kind_info *is;
    struct end end[ENDS];
    int nends;
    pthread_mutex_t order; /* held from choosing an operation to the end of the call that queues it */
    pthread_mutex_t mutex;
    struct op *log[2], *log_end[2]; /* IN, OUT: in the order of queuing */
    int log_length[2];
    size_t used;  /* bytes of the first write of the log that were read */
    size_t start; /* where the next write begins in the pattern */
    uint64_t sum[2];
    bool tainted, ended, shut, closing, graceful, big_value;
    int outstanding;
    int dup[2], ndups;
    struct address address;
    struct chan *next;
};

struct slot {
    pthread_rwlock_t lock; /* held for reading while numbers are used, for writing while they change */
    struct chan *chan;
};

/* A socket that connects, and its operations. */
struct conn {
    int fd, refs;
    bool cancelled;
    struct conn *next;
};

struct worker {
    uint64_t seed;
    long sections; /* odd while it is in a call, or handles what it got */
    bool parked, exited;
    pthread_t thread;
};

static struct op ops[OPS];
static struct life lives[LIVES];
static struct chan chans[CHANS], *free_chans;
static struct conn conns[CONNS], *free_conns;
static struct pipe pipe_objects[PIPE_OBJECTS], *pipes[PIPES], *retired, *retired_end;
static struct slot slots[SLOTS];
static struct worker workers[THREADS_MAX + 1];
static struct life *free_lives;
static struct { struct op *first, *last; int n; } free_ops[2]; /* used in turn, so that each rests long */
static pthread_mutex_t pool_mutex = PTHREAD_MUTEX_INITIALIZER;

static unsigned char table[FILE_SIZE + BIG_ROOM]; /* the pattern */
static unsigned char poison[4096];
static char dir[] = "/tmp/ioevent-test-XXXXXX";
#ifndef THREADS
#define THREADS 4
#endif

static int pattern_file, threads = THREADS, over, pausing;
static long seconds, seed = 1997, kind_mask = -1, action_mask;

static long queued[WHATS], events[WHATS], gone[WHATS], directs[WHATS];
static long canceled, timed_out, fulls, parts, bytes_verified, messages_verified, accepted, harvests, resizes;
static long chans_closed, live_chans, pipes_closed, attachments, deaths;

#define LOCK(m)   ZERO(pthread_mutex_lock(m))
#define UNLOCK(m) ZERO(pthread_mutex_unlock(m))

static uint32_t below(struct worker *w, uint32_t n) { return next_random(&w->seed) % n; }
static bool chance(struct worker *w, uint32_t n) { return below(w, n) == 0; }
static bool slow(void) { return on_valgrind() || ON_ASAN || ON_TSAN; }

static struct timespec nanoseconds(long long ns)
{
    return (struct timespec){ .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };
}

__attribute__((noreturn, format(printf, 2, 3)))
static void die(const struct op *op, const char *format, ...)
{
    char text[400], about[400] = "";
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (op)
        snprintf(about, sizeof about,
                 "; %s of %zu at %zu on %s fd %d, %s, flags %#x, %lld us ago, limit %lld us, result %ld errno %d%s%s",
                 what_name[op->what], op->len, op->start,
                 op->chan ? op->chan->is->name : op->conn ? "connection" : "pipe",
                 op->end ? op->end->fd : op->conn ? op->conn->fd : op->pipe ? op->pipe->fd : -1,
                 op->life ? "plain" : "submitted", (unsigned)op->flags, (now_ns() - op->begun) / US, op->limit / US,
                 op->result, op->err, op->chan && op->chan->tainted ? ", tainted" : "",
                 op->chan && op->chan->closing ? ", closing" : "");
    dprintf(2, "torture: seed %ld: %s%s\n", seed, text, about);
    rmdir(dir);
    _exit(1);
}

/* ---- pools ---- */

static void *user_of(const struct op *op) { return USER(op->generation << 20 | op->index << 1 | 1); }
static void *user_of_life(const struct life *life) { return USER(life->generation << 20 | life->index << 1); }

static void check_poison(const struct op *op, const char *when)
{
    const unsigned char *p = (const unsigned char *)op->room;
    size_t n = sizeof *op->room + op->size;

    for (size_t i = 0; i < n; i += sizeof poison) {
        size_t k = n - i < sizeof poison ? n - i : sizeof poison;

        if (memcmp(p + i, poison, k) != 0) {
            while (p[i] == POISON)
                i++;
            die(op, "the buffer was touched after its event (%s): byte %zu (data begins at %zu) is %#x", when, i,
                sizeof *op->room, p[i]);
        }
    }
}

static void put_poison(struct op *op)
{
    if (op->poisoned)
        check_poison(op, "when it was forgotten");
    else
        memset(op->room, POISON, sizeof *op->room + op->size);
    op->poisoned = true;
}

static void release(struct op *op)
{
    int big = op->index >= SMALL_OPS;

    put_poison(op);
    SET(op->state, FREE);
    LOCK(&pool_mutex);
    op->next = NULL;
    if (free_ops[big].last)
        free_ops[big].last->next = op;
    else
        free_ops[big].first = op;
    free_ops[big].last = op;
    free_ops[big].n++;
    UNLOCK(&pool_mutex);
}

static struct op *new_op(bool big)
{
    struct op *op = NULL;

    LOCK(&pool_mutex);
    if (free_ops[big].n > (big ? 8 : 200)) {
        op = free_ops[big].first;
        free_ops[big].first = op->next;
        free_ops[big].n--;
    }
    UNLOCK(&pool_mutex);
    if (!op)
        return NULL;
    check_poison(op, "before it is used again");
    memset(&op->what, 0, sizeof *op - offsetof(struct op, what));
    SET(op->life, NULL);
    SET(op->pipe, NULL);
    SET(op->cancel_asked, false);
    SET(op->generation, op->generation + 1);
    op->other[0] = op->other[1] = -1;
    return op;
}

static struct life *new_life(struct chan *c, struct pipe *p)
{
    struct life *life;

    LOCK(&pool_mutex);
    life = free_lives;
    CHECK(life != NULL);
    free_lives = life->next;
    UNLOCK(&pool_mutex);
    LOCK(&life->mutex);
    life->generation++;
    life->queued = life->events = 0;
    life->ops = NULL;
    life->chan = c;
    life->pipe = p;
    life->retired = false;
    SET(life->cancel_asked, false);
    life->used = true;
    UNLOCK(&life->mutex);
    ADD(attachments, 1);
    return life;
}

/* The caller holds its mutex, which is released. */
static void unlock_life(struct life *life)
{
    bool end = life->used && life->retired && life->events == life->queued;

    if (end)
        life->used = false;
    UNLOCK(&life->mutex);
    if (!end)
        return;
    LOCK(&pool_mutex);
    life->next = free_lives;
    free_lives = life;
    UNLOCK(&pool_mutex);
}

static void retire(struct life *life)
{
    LOCK(&life->mutex);
    life->retired = true;
    unlock_life(life);
}

static void conn_put(struct conn *conn)
{
    if (ADD(conn->refs, -1) > 0)
        return;
    GIVES(ioevent_close(conn->fd), 0);
    LOCK(&pool_mutex);
    conn->next = free_conns;
    free_conns = conn;
    UNLOCK(&pool_mutex);
}

/* ---- what may be ---- */

static bool is_write(int what)
{
    return what == IOEVENT_OP_WRITE || what == IOEVENT_OP_WRITEV || what == IOEVENT_OP_SEND ||
           what == IOEVENT_OP_SENDTO || what == IOEVENT_OP_SENDMSG;
}

static bool moves_pages(int what) { return what == IOEVENT_OP_SPLICE || what == IOEVENT_OP_SENDFILE; }
static bool is_fsync(int what) { return what == IOEVENT_OP_FSYNC || what == IOEVENT_OP_FDATASYNC; }

/* Somebody ended it, or may have. */
static bool was_cancelled(const struct op *op)
{
    if (GET(op->cancel_asked))
        return true;
    if (op->conn)
        return GET(op->conn->cancelled);
    if (op->end)
        return GET(op->end->started[op->direction]) > op->cancels;
    return GET(op->pipe->started) > op->cancels;
}

static bool is_overdue(const struct op *op)
{
    long long limit = op->limit, other = op->end ? GET(op->end->timeo) : 0;

    if (!limit || (other && other < limit))
        limit = other;
    return limit && now_ns() - op->begun >= limit;
}

static bool may_fail(const struct op *op)
{
    bool loose = op->conn || op->chan->is->mixed, ended = loose || GET(op->chan->ended);
    bool listens = op->what == IOEVENT_OP_ACCEPT || op->what == IOEVENT_OP_ACCEPT4;

    switch (op->err) {
    case ECANCELED:
        ADD(canceled, 1);
        return was_cancelled(op);
    case ETIMEDOUT:
        ADD(timed_out, 1);
        return is_overdue(op);
    case EPIPE:
        return op->direction == OUT && ended;
    case ECONNRESET:
        return ended;
    case ENOTCONN:
        return loose || op->what == IOEVENT_OP_SHUTDOWN || (op->chan->kind == K_DGRAM && ended);
    case ECONNREFUSED:
        return op->conn || op->chan->kind == K_MIX_UDP || (op->chan->kind == K_DGRAM && ended);
    case ECONNABORTED:
        return listens;
    case EMSGSIZE:
        return loose;
    case EIO:
        return op->chan && op->chan->kind == K_PTY && ended;
    case EINVAL:
    case EOPNOTSUPP:
        return op->conn || moves_pages(op->what) || is_fsync(op->what) || op->what == IOEVENT_OP_SHUTDOWN;
    }
    return false;
}

static void check_result(const struct op *op)
{
    long r = op->result;
    bool whole = is_write(op->what) || (op->flags & MSG_WAITALL && op->chan && op->chan->is->stream);

    if (op->what == POSTED) {
        if (r != (int)op->value || op->err != (int)(op->value >> 32))
            die(op, "a posted event came out as another");
        return;
    }
    if (r < 0) {
        if (r != -1 || op->err <= 0)
            die(op, "no such result");
        if (op->what == IOEVENT_OP_TIMER ? op->err != ECANCELED || !was_cancelled(op) : !may_fail(op))
            die(op, "it failed with %s, for no reason (cancelled %d, overdue %d)", strerror(op->err), was_cancelled(op),
                is_overdue(op));
        return;
    }
    if (op->err != 0) { /* a part, and why it is one */
        if (r == 0 || (size_t)r >= op->len || !(whole || op->flags & MSG_WAITALL || moves_pages(op->what)))
            die(op, "a result and an error");
        if ((op->err != ECANCELED && op->err != ETIMEDOUT) || !may_fail(op))
            die(op, "a part with %s, for no reason (cancelled %d, overdue %d)", strerror(op->err), was_cancelled(op),
                is_overdue(op));
    }
    switch (op->what) {
    case IOEVENT_OP_POLL:
        if (r == 0 || r & ~(op->flags | POLLERR | POLLHUP | POLLNVAL))
            die(op, "revents that nobody asked for");
        return;
    case IOEVENT_OP_TIMER:
        if (r != 0 || now_ns() - op->begun < op->limit)
            die(op, "the timer is early");
        return;
    case IOEVENT_OP_ACCEPT:
    case IOEVENT_OP_ACCEPT4:
        return;
    case IOEVENT_OP_CONNECT:
    case IOEVENT_OP_SHUTDOWN:
    case IOEVENT_OP_FSYNC:
    case IOEVENT_OP_FDATASYNC:
        if (r != 0)
            die(op, "no such result");
        return;
    }
    if ((size_t)r > op->len)
        die(op, "more bytes than there is room for");
    if (op->chan && (op->chan->is->messages || op->chan->kind == K_COUNTER) && is_write(op->what) &&
        (size_t)r != op->len)
        die(op, "a part of a message");
    if (whole && (size_t)r < op->len && !op->direct) {
        ADD(parts, 1);
        if (op->err == 0 && !op->conn && !op->chan->is->mixed && !GET(op->chan->ended))
            die(op, "a part, and nobody ended it");
    }
}

/* ---- the log of a channel: what went in comes out ---- */

static struct op *pop_log(struct chan *c, int which)
{
    struct op *op = c->log[which];

    c->log[which] = op->log;
    if (!op->log)
        c->log_end[which] = NULL;
    c->log_length[which]--;
    return op;
}

/* The first write that carried something and is not used up; NULL if that is not known yet. */
static struct op *first_write(struct chan *c)
{
    for (;;) {
        struct op *w = c->log[OUT];

        if (!w || !w->done)
            return NULL;
        if (w->result > 0 && c->shut)
            die(w, "written after shutdown");
        if (w->result > 0 && c->used < (size_t)w->result)
            return w;
        if (w->what == IOEVENT_OP_SHUTDOWN && w->result == 0)
            c->shut = true;
        release(pop_log(c, OUT));
        c->used = 0;
    }
}

static void compare(const struct op *op, const unsigned char *got, const struct op *w, size_t from, size_t n)
{
    if (memcmp(got, table + w->start + from, n) == 0)
        return;
    for (size_t i = 0; i < n; i++)
        if (got[i] != table[w->start + from + i])
            die(op, "wrong byte: %#x, not %#x, which is byte %zu of %ld of a %s at %zu%s", got[i],
                table[w->start + from + i], from + i, w->result, what_name[w->what], w->start,
                is_all(got + i, POISON, n - i) ? " (poison)" : "");
}

static bool peeks(const struct op *op) { return op->flags & MSG_PEEK && op->direction == IN && !moves_pages(op->what); }

/* Compares n bytes with the log; uses them up if they were not only peeked at. False if the log does not say yet. */
static bool match_stream(struct chan *c, struct op *r)
{
    struct op *w = first_write(c);
    size_t used = c->used, i;

    if (peeks(r)) {
        for (i = r->matched; i < (size_t)r->result;) {
            size_t n;

            while (w && w->done && used >= (size_t)(w->result > 0 ? w->result : 0)) {
                w = w->log;
                used = 0;
            }
            if (!w || !w->done)
                return false;
            n = (size_t)w->result - used < (size_t)r->result - i ? (size_t)w->result - used : (size_t)r->result - i;
            compare(r, r->room->data + i, w, used, n);
            i += n;
            used += n;
        }
        return true;
    }
    while (r->matched < (size_t)r->result) {
        size_t n;

        w = first_write(c);
        if (!w)
            return false;
        n = (size_t)w->result - c->used;
        if (n > (size_t)r->result - r->matched)
            n = (size_t)r->result - r->matched;
        compare(r, r->room->data + r->matched, w, c->used, n);
        r->matched += n;
        c->used += n;
        ADD(bytes_verified, (long)n);
    }
    return true;
}

static bool match_message(struct chan *c, struct op *r)
{
    struct op *w = first_write(c);
    size_t n;

    if (!w)
        return false;
    n = (size_t)w->result < r->len ? (size_t)w->result : r->len;
    if ((size_t)r->result != n)
        die(r, "not the message that was sent, of %ld bytes", w->result);
    compare(r, r->room->data, w, 0, n);
    if (!peeks(r)) {
        c->used = (size_t)w->result;
        ADD(messages_verified, 1);
    }
    return true;
}

/* Goes through what is known by now. The caller holds c->mutex. */
static void verify(struct chan *c)
{
    struct op *r;

    if (c->tainted)
        return;
    while ((r = c->log[IN]) && r->done) {
        if (r->result == 0 && r->len > 0 && !GET(c->ended) && c->kind != K_FILE_READ)
            die(r, "end of file, and nobody ended it");
        if (r->result == 0 && r->len > 0 && c->kind == K_FILE_READ && first_write(c))
            die(r, "end of file before the end");
        if (r->result > 0 && !(c->is->messages ? match_message(c, r) : match_stream(c, r)))
            break;
        release(pop_log(c, IN));
    }
    if (c->kind != K_FILE_WRITE)
        first_write(c);
}

/* What is left in the descriptors themselves when all operations are over. */
static void drain_rest(struct chan *c)
{
    static __thread unsigned char buffer[BIG_ROOM];
    struct pollfd ready = { .fd = c->end[0].fd, .events = POLLIN };
    struct op *w;

    while ((w = first_write(c))) {
        size_t n = (size_t)w->result - c->used;
        ssize_t r;

        if (c->kind == K_FILE_WRITE) {
            GIVES(pread(c->end[1].fd, buffer, n, (off_t)c->sum[0]), n);
            c->sum[0] += n;
            r = (ssize_t)n;
        } else {
            if (poll(&ready, 1, slow() ? 60000 : 10000) != 1)
                die(w, "%zu bytes of it were lost", n);
            r = read(ready.fd, buffer, n);
            if (r <= 0 || (c->is->messages && (size_t)r != n))
                die(w, "reading the rest, %zu bytes of it, gave %zd", n, r);
        }
        compare(w, buffer, w, c->used, (size_t)r);
        c->used += (size_t)r;
        ADD(bytes_verified, r);
    }
    if (c->kind == K_FILE_WRITE) {
        SAME(lseek(c->end[1].fd, 0, SEEK_END), c->sum[0]);
    } else if (poll(&ready, 1, 0) != 0 && !(c->shut && read(ready.fd, buffer, 1) == 0)) {
        errno = 0;
        die(NULL, "more came out of a %s than went in: %zd", c->is->name, read(ready.fd, buffer, sizeof buffer));
    }
}

/* All its operations are over and it is in no slot. */
static void finish(struct chan *c)
{
    uint64_t value = 0;

    LOCK(&c->mutex);
    verify(c);
    if (!c->tainted && c->log[IN])
        die(c->log[IN], "read what nobody wrote (the log of writes begins with %ld bytes of %s)",
            c->log[OUT] ? c->log[OUT]->result : -1, c->log[OUT] ? what_name[c->log[OUT]->what] : "nothing");
    if (c->graceful && !c->tainted) {
        if ((c->is->stream && c->kind != K_FILE_READ) || c->is->messages)
            drain_rest(c);
        if (c->kind == K_COUNTER) {
            set_nonblock(c->end[0].fd, true);
            if (read(c->end[0].fd, &value, sizeof value) == -1)
                SAME(errno, EAGAIN);
            set_nonblock(c->end[0].fd, c->end[0].file_flags & O_NONBLOCK);
            SAME(c->sum[IN] + value, c->sum[OUT]);
        }
    }
    for (int which = 0; which < 2; which++)
        while (c->log[which])
            release(pop_log(c, which));
    for (int i = 0; i < c->ndups; i++)
        OK(close(c->dup[i]));
    for (int i = 0; i < ENDS && c->graceful; i++) {
        if (c->end[i].fd == -1)
            continue;
        SAME(fcntl(c->end[i].fd, F_GETFL), c->end[i].file_flags);
        if (c->end[i].fd % 2)
            OK(close(c->end[i].fd));
        else
            GIVES(ioevent_close(c->end[i].fd), 0);
    }
    UNLOCK(&c->mutex);
    ADD(chans_closed, 1);
    ADD(live_chans, -1);
    LOCK(&pool_mutex);
    c->next = free_chans;
    free_chans = c;
    UNLOCK(&pool_mutex);
}

/* ---- an operation is over ---- */

static void close_other(struct op *op)
{
    for (int i = 0; i < 2; i++)
        if (op->other[i] != -1)
            OK(close(op->other[i]));
    op->other[0] = op->other[1] = -1;
}

/* The pipe of its own that it read from or wrote to has what it has to have. */
static void check_other(struct op *op)
{
    size_t moved = op->result > 0 ? (size_t)op->result : 0, expected = op->direction == IN ? moved : op->len - moved;
    unsigned char *data = op->room->data;
    int there = 0;

    if (op->other[0] == -1)
        return;
    OK(ioctl(op->other[0], FIONREAD, &there));
    if ((size_t)there != expected)
        die(op, "%d bytes in its pipe, not %zu", there, expected);
    if (there > 0)
        read_all(op->other[0], data, expected);
    if (op->direction == OUT) {
        if (memcmp(data, table + op->start + moved, expected) != 0)
            die(op, "it left other bytes in its pipe than it should");
        memset(data, POISON, expected);
    }
}

/* Takes it off the books. The caller has set its state to DONE. */
static void settle_op(struct op *op)
{
    struct chan *c = op->chan;
    struct conn *conn = op->conn;
    bool logged = op->logged, last = false;

    close_other(op);
    if (!logged)
        release(op);
    if (c) {
        LOCK(&c->mutex);
        if (logged) {
            if (op->direction == OUT)
                put_poison(op); /* what it wrote is known without */
            op->done = true;
            verify(c);
        }
        last = --c->outstanding == 0 && c->closing;
        UNLOCK(&c->mutex);
    }
    if (last)
        finish(c);
    if (conn)
        conn_put(conn);
}

/* A descriptor that an accept gave. */
static void take_accepted(const struct op *op, int fd)
{
    ATTACHED(fd, -1, 0);
    if (op->what == IOEVENT_OP_ACCEPT4)
        SAME(OK(fcntl(fd, F_GETFD)), op->flags & SOCK_CLOEXEC ? FD_CLOEXEC : 0);
    SAME(fcntl(fd, F_GETFL) & O_NONBLOCK, op->flags & SOCK_NONBLOCK ? O_NONBLOCK : 0);
    ADD(accepted, 1);
    if (fd % 3 == 0)
        (void)!send(fd, table, 100, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (fd % 2)
        OK(close(fd));
    else
        GIVES(ioevent_close(fd), 0);
}

/* The event of an operation, or its direct result. */
static void complete(struct op *op, long result, int err)
{
    struct room *room = op->room;
    struct chan *c = op->chan;
    size_t moved = result > 0 ? (size_t)result : 0;

    op->result = result;
    op->err = err;
    check_result(op);
    if (op->what == IOEVENT_OP_ACCEPT || op->what == IOEVENT_OP_ACCEPT4) {
        if (result >= 0)
            take_accepted(op, (int)result);
    } else if (moves_pages(op->what)) {
        check_other(op);
        if (op->life && op->what == IOEVENT_OP_SENDFILE && room->at != -1 && room->at != (off_t)(op->start + moved))
            die(op, "the offset is %lld", (long long)room->at);
    } else if (is_write(op->what) || op->what == IOEVENT_OP_PWRITE || op->what == IOEVENT_OP_PWRITEV) {
        const void *wrote = c && c->kind == K_COUNTER ? (const void *)&op->value : table + op->start;

        if (memcmp(room->data, wrote, op->len) != 0)
            die(op, "a write changed its buffer");
    }
    if (op->direction == IN && !is_all(room->data + op->len, POISON, op->size - op->len))
        die(op, "a read wrote behind its buffer");
    if (c && c->kind == K_FILE_AT && op->direction == IN && memcmp(room->data, table + op->start, moved) != 0)
        die(op, "wrong bytes");
    if (c && c->kind == K_FILE_AT && result >= 0 && moved < op->len && op->what != IOEVENT_OP_SENDFILE &&
        !was_cancelled(op) && !is_overdue(op))
        die(op, "short");
    if (c && (c->kind == K_COUNTER || c->kind == K_CLOCK) && moved && op->what != IOEVENT_OP_POLL) {
        if (op->direction == IN)
            memcpy(&op->value, room->data, sizeof op->value);
        if (op->value == 0)
            die(op, "a zero was read");
        LOCK(&c->mutex);
        c->sum[op->direction] += op->value;
        UNLOCK(&c->mutex);
    }
    settle_op(op);
}

/* Its pipe was closed. */
static void lose(struct op *op)
{
    if (op->chan) {
        LOCK(&op->chan->mutex);
        SET(op->chan->tainted, true);
        UNLOCK(&op->chan->mutex);
    }
    op->result = -1;
    put_poison(op); /* the library has to leave it alone from now on */
    settle_op(op);
}

static void set_done(struct op *op)
{
    int busy = BUSY;

    if (!__atomic_compare_exchange_n(&op->state, &busy, DONE, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        die(op, "an event for an operation that was not outstanding: doubled, or the call failed too");
}

/* The plain calls of a `mixed` attachment are known to be over only when all of them are. */
static void settle_all(struct op *op)
{
    for (struct op *next; op; op = next) {
        next = op->next;
        set_done(op);
        if (op->direction == IN && !is_all(op->room->data + op->len, POISON, op->size - op->len))
            die(op, "a read wrote behind its buffer");
        settle_op(op);
    }
}

static void life_event(struct life *life, const struct ioevent *e)
{
    struct op *op;
    bool mixed;

    LOCK(&life->mutex);
    if (!life->used || user_of_life(life) != e->ioe_user)
        die(NULL, "an event of an attachment that is long over: user %p result %d errno %d", e->ioe_user, e->ioe_result,
            e->ioe_errno);
    if (++life->events > life->queued)
        die(NULL, "more events of an attachment than operations: result %d errno %d on a %s", e->ioe_result,
            e->ioe_errno, life->chan->is->name);
    mixed = life->chan->is->mixed;
    op = life->ops;
    if (mixed && life->events < life->queued)
        op = NULL;
    else
        life->ops = NULL;
    if (op && GET(life->cancel_asked))
        SET(op->cancel_asked, true); /* the life may be used again from now on */
    unlock_life(life);
    if (mixed) {
        ADD(events[0], 1);
        if (e->ioe_result > BIG_ROOM)
            die(NULL, "result %d on a %s", e->ioe_result, kind_info[K_MIX_UNIX].name);
        settle_all(op);
    } else {
        CHECK(op && !op->next);
        ADD(events[op->what], 1);
        set_done(op);
        complete(op, e->ioe_result, e->ioe_errno);
    }
}

static void take_event(const struct ioevent *e)
{
    uint64_t user = (uint64_t)(uintptr_t)e->ioe_user;
    unsigned index = (unsigned)(user >> 1) & 0x7ffff;
    int err = e->ioe_errno;

    if (!(user & 1)) {
        if (user == FOREIGN || index >= LIVES)
            die(NULL, "an event with user %p result %d errno %d", e->ioe_user, e->ioe_result, err);
        if (err == EAGAIN || err == EINTR || (e->ioe_result < 0 && err == 0) || err < 0 || err >= EIOEVENTFULL)
            die(NULL, "an event with result %d errno %d", e->ioe_result, err);
        life_event(&lives[index], e);
        return;
    }
    if (index >= OPS || GET(ops[index].generation) != user >> 20)
        die(NULL, "an event of an operation that is long over: user %p result %d errno %d", e->ioe_user, e->ioe_result,
            err);
    set_done(&ops[index]);
    ADD(events[ops[index].what], 1);
    complete(&ops[index], e->ioe_result, err);
}

/* ---- operations ---- */

/* Data of an operation, in one to three parts. */
static void split(struct worker *w, struct op *op)
{
    struct iovec *iov = op->room->iov;
    size_t first = op->len ? below(w, (uint32_t)op->len + 1) : 0, second = below(w, (uint32_t)(op->len - first) + 1);

    iov[0] = (struct iovec){ op->room->data, first };
    iov[1] = (struct iovec){ op->room->data + first, second };
    iov[2] = (struct iovec){ op->room->data + first + second, op->len - first - second };
}

static const int socket_reads[] = { IOEVENT_OP_READ, IOEVENT_OP_READV, IOEVENT_OP_RECV, IOEVENT_OP_RECV,
                                    IOEVENT_OP_RECVFROM, IOEVENT_OP_RECVMSG, IOEVENT_OP_SPLICE };
static const int socket_writes[] = { IOEVENT_OP_WRITE, IOEVENT_OP_WRITEV, IOEVENT_OP_SEND, IOEVENT_OP_SENDTO,
                                     IOEVENT_OP_SENDMSG, IOEVENT_OP_SENDFILE, IOEVENT_OP_SPLICE };
static const int file_reads[] = { IOEVENT_OP_READ, IOEVENT_OP_READV, IOEVENT_OP_READ, IOEVENT_OP_SPLICE };
static const int file_writes[] = { IOEVENT_OP_WRITE, IOEVENT_OP_WRITEV, IOEVENT_OP_WRITE, IOEVENT_OP_SENDFILE,
                                   IOEVENT_OP_SPLICE };
static const int at_reads[] = { IOEVENT_OP_PREAD, IOEVENT_OP_PREADV, IOEVENT_OP_SENDFILE };
static const int at_writes[] = { IOEVENT_OP_PWRITE, IOEVENT_OP_PWRITEV };

#define ONE_OF(list, n) ((list)[below(w, (uint32_t)(n))])
#define LENGTH(list) (sizeof(list) / sizeof *(list))

static int choose(struct worker *w, const struct chan *c, bool in)
{
    bool message = c->is->messages;

    switch (c->kind) {
    case K_LISTEN_TCP:
    case K_LISTEN_UNIX:
        return chance(w, 2) ? IOEVENT_OP_ACCEPT : IOEVENT_OP_ACCEPT4;
    case K_COUNTER:
    case K_CLOCK:
        return in ? IOEVENT_OP_READ : IOEVENT_OP_WRITE;
    case K_FILE_AT:
        if (chance(w, 100))
            return chance(w, 2) ? IOEVENT_OP_FSYNC : IOEVENT_OP_FDATASYNC;
        return in ? ONE_OF(at_reads, LENGTH(at_reads)) : ONE_OF(at_writes, LENGTH(at_writes));
    default:
        break;
    }
    if (!in && chance(w, c->kind == K_FILE_WRITE ? 50 : 500))
        return IOEVENT_OP_FSYNC;
    if (!in && c->is->socket && c->kind != K_DGRAM && chance(w, 80))
        return IOEVENT_OP_SHUTDOWN;
    if (c->kind == K_FILE_READ && chance(w, 5))
        return IOEVENT_OP_SENDFILE;
    if (c->is->socket)
        return in ? ONE_OF(socket_reads, LENGTH(socket_reads) - message)
                  : ONE_OF(socket_writes, LENGTH(socket_writes) - (message ? 2 : 0));
    return in ? ONE_OF(file_reads, LENGTH(file_reads)) : ONE_OF(file_writes, LENGTH(file_writes));
}

/* A pipe of its own: the source of a write, filled, or the destination of a read. */
static void open_other(struct worker *w, struct op *op)
{
    OK(pipe2(op->other, O_CLOEXEC));
    if (op->direction == IN)
        return;
    GIVES(write(op->other[1], table + op->start, op->len), op->len);
    if (chance(w, 2)) {
        OK(close(op->other[1]));
        op->other[1] = -1;
    }
}

/* An operation that fits this descriptor. The caller holds c->order, unless it is `mixed`. */
static struct op *prepare(struct worker *w, struct chan *c, struct end *e, struct ioevent_op *o, bool only_poll)
{
    bool in = e->reads && (!e->writes || chance(w, 2));
    int what = only_poll || chance(w, 12) ? IOEVENT_OP_POLL : choose(w, c, in);
    bool moves = what != IOEVENT_OP_POLL && what != IOEVENT_OP_SHUTDOWN && !is_fsync(what);
    bool big = moves && c->is->stream && chance(w, 6);
    struct op *op;
    bool enough;

    LOCK(&c->mutex);
    enough = c->outstanding >= (c->is->mixed ? 40 : 24) || c->log_length[!in] >= LOG_MAX;
    UNLOCK(&c->mutex);
    if (enough)
        return NULL;
    if (c->kind == K_FILE_WRITE && chance(w, 4))
        return NULL;
    op = new_op(big);
    if (!op)
        return NULL;
    op->what = what;
    op->direction = what == IOEVENT_OP_POLL ? POLL : in && moves ? IN : OUT;
    if (moves) {
        size_t most = c->is->messages ? MESSAGE_MAX : moves_pages(what) && op->size > 4096 ? 4096 : op->size;

        op->len = 1 + (chance(w, 2) ? below(w, 64) : below(w, (uint32_t)most));
        if (c->kind == K_COUNTER || c->kind == K_CLOCK)
            op->len = 8;
        else if (c->is->mixed && chance(w, 30) && !moves_pages(what))
            op->len = 0;
    }
    if (c->kind == K_FILE_AT || c->is->mixed || what == IOEVENT_OP_SENDFILE)
        op->start = below(w, FILE_SIZE - (uint32_t)op->len);
    else if (op->direction == OUT && moves) {
        op->start = c->start;
        c->start = (c->start + op->len) % FILE_SIZE;
    }
    op->logged = (c->is->stream || c->is->messages) && op->direction != POLL && (moves || what == IOEVENT_OP_SHUTDOWN);
    if (is_write(what) || what == IOEVENT_OP_PWRITE || what == IOEVENT_OP_PWRITEV)
        memcpy(op->room->data, table + op->start, op->len);
    if (c->kind == K_COUNTER && !in) {
        op->value = chance(w, 20) ? UINT64_MAX - 1 - below(w, 9) : 1 + next_random(&w->seed);
        if (op->value > UINT32_MAX + 1ull)
            SET(c->big_value, true);
        memcpy(op->room->data, &op->value, sizeof op->value);
    }

    *o = (struct ioevent_op){ .ioo_kind = (unsigned short)what, .ioo_fd = e->fd, .ioo_user = user_of(op),
                              .ioo_buf = op->room->data, .ioo_len = op->len, .ioo_offset = -1, .ioo_offset2 = -1 };
    switch (what) {
    case IOEVENT_OP_POLL:
        op->flags = ONE_OF(((int[]){ POLLIN, POLLOUT, POLLIN | POLLOUT, POLLPRI, POLLIN | POLLRDHUP, 0 }), 6);
        break;
    case IOEVENT_OP_PREADV:
    case IOEVENT_OP_PWRITEV:
    case IOEVENT_OP_READV:
    case IOEVENT_OP_WRITEV:
        split(w, op);
        o->ioo_buf = op->room->iov;
        o->ioo_len = 3;
        break;
    case IOEVENT_OP_RECVMSG:
    case IOEVENT_OP_SENDMSG:
        split(w, op);
        memset(&op->room->msg, 0, sizeof op->room->msg);
        op->room->msg.msg_iov = op->room->iov;
        op->room->msg.msg_iovlen = 3;
        o->ioo_buf = &op->room->msg;
        break;
    case IOEVENT_OP_RECVFROM:
    case IOEVENT_OP_ACCEPT:
    case IOEVENT_OP_ACCEPT4:
        op->room->addrlen = sizeof op->room->addr;
        o->ioo_addr = (struct sockaddr *)&op->room->addr;
        o->ioo_addrlen = &op->room->addrlen;
        break;
    case IOEVENT_OP_SENDFILE:
        if (in) {
            open_other(w, op);
            o->ioo_fd = op->other[1];
            o->ioo_fd2 = e->fd;
        } else {
            o->ioo_fd2 = pattern_file;
        }
        break;
    case IOEVENT_OP_SPLICE:
        open_other(w, op);
        if (in) {
            o->ioo_fd = op->other[1];
            o->ioo_fd2 = e->fd;
        } else {
            o->ioo_fd2 = op->other[0];
        }
        break;
    case IOEVENT_OP_SHUTDOWN:
        op->flags = c->is->mixed && chance(w, 2) ? SHUT_RDWR : SHUT_WR;
        SET(c->ended, true);
        break;
    }
    switch (what) {
    case IOEVENT_OP_RECV:
    case IOEVENT_OP_RECVFROM:
    case IOEVENT_OP_RECVMSG:
        if (c->is->mixed && chance(w, 20))
            op->flags = MSG_ERRQUEUE;
        else
            op->flags = ONE_OF(((int[]){ 0, 0, 0, MSG_DONTWAIT, MSG_PEEK, MSG_WAITALL }), 6);
        break;
    case IOEVENT_OP_SEND:
    case IOEVENT_OP_SENDTO:
    case IOEVENT_OP_SENDMSG:
        op->flags = ONE_OF(((int[]){ 0, 0, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_MORE }), 4);
        break;
    case IOEVENT_OP_ACCEPT4:
        op->flags = ONE_OF(((int[]){ 0, SOCK_CLOEXEC, SOCK_NONBLOCK | SOCK_CLOEXEC }), 3);
        break;
    case IOEVENT_OP_SPLICE:
        op->flags = chance(w, 2) ? SPLICE_F_MOVE : SPLICE_F_NONBLOCK;
        break;
    }
    if (c->kind == K_FILE_AT || (what == IOEVENT_OP_SENDFILE && !in))
        o->ioo_offset = (long long)op->start;
    o->ioo_arg = op->flags;
    return op;
}

/* The same as a plain call. */
static ssize_t plain_call(const struct ioevent_op *o, struct op *op)
{
    int fd = o->ioo_fd, arg = o->ioo_arg;

    switch (o->ioo_kind) {
    case IOEVENT_OP_READ:
        return ioevent_read(fd, o->ioo_buf, o->ioo_len);
    case IOEVENT_OP_WRITE:
        return ioevent_write(fd, o->ioo_buf, o->ioo_len);
    case IOEVENT_OP_READV:
        return ioevent_readv(fd, o->ioo_buf, (int)o->ioo_len);
    case IOEVENT_OP_WRITEV:
        return ioevent_writev(fd, o->ioo_buf, (int)o->ioo_len);
    case IOEVENT_OP_PREAD:
        return ioevent_pread(fd, o->ioo_buf, o->ioo_len, op->start);
    case IOEVENT_OP_PWRITE:
        return ioevent_pwrite(fd, o->ioo_buf, o->ioo_len, op->start);
    case IOEVENT_OP_PREADV:
        return ioevent_preadv(fd, o->ioo_buf, (int)o->ioo_len, op->start);
    case IOEVENT_OP_PWRITEV:
        return ioevent_pwritev(fd, o->ioo_buf, (int)o->ioo_len, op->start);
    case IOEVENT_OP_RECV:
        return ioevent_recv(fd, o->ioo_buf, o->ioo_len, arg);
    case IOEVENT_OP_RECVFROM:
        return ioevent_recvfrom(fd, o->ioo_buf, o->ioo_len, arg, o->ioo_addr, o->ioo_addrlen);
    case IOEVENT_OP_RECVMSG:
        return ioevent_recvmsg(fd, o->ioo_buf, arg);
    case IOEVENT_OP_SEND:
        return ioevent_send(fd, o->ioo_buf, o->ioo_len, arg);
    case IOEVENT_OP_SENDTO:
        return ioevent_sendto(fd, o->ioo_buf, o->ioo_len, arg, NULL, 0);
    case IOEVENT_OP_SENDMSG:
        return ioevent_sendmsg(fd, o->ioo_buf, arg);
    case IOEVENT_OP_ACCEPT:
        return ioevent_accept(fd, o->ioo_addr, o->ioo_addrlen);
    case IOEVENT_OP_ACCEPT4:
        return ioevent_accept4(fd, o->ioo_addr, o->ioo_addrlen, arg);
    case IOEVENT_OP_SENDFILE:
        op->room->at = o->ioo_offset;
        return ioevent_sendfile(fd, o->ioo_fd2, o->ioo_offset == -1 ? NULL : &op->room->at, o->ioo_len);
    case IOEVENT_OP_SPLICE:
        return ioevent_splice(o->ioo_fd2, NULL, fd, NULL, o->ioo_len, (unsigned)arg);
    case IOEVENT_OP_FSYNC:
        return ioevent_fsync(fd);
    case IOEVENT_OP_FDATASYNC:
        return ioevent_fdatasync(fd);
    case IOEVENT_OP_SHUTDOWN:
        return ioevent_shutdown(fd, arg);
    default:
        return ioevent_poll(fd, (short)arg);
    }
}

/* It is on the books from now on. */
static void begin(struct op *op, struct chan *c, struct end *e, struct pipe *p)
{
    op->chan = c;
    op->end = e;
    SET(op->pipe, p);
    op->cancels = e ? GET(e->finished[op->direction]) : p ? GET(p->finished) : 0;
    op->begun = now_ns();
    if (c) {
        LOCK(&c->mutex);
        c->outstanding++;
        if (op->logged) {
            int which = op->direction;

            if (c->log_end[which])
                c->log_end[which]->log = op;
            else
                c->log[which] = op;
            c->log_end[which] = op;
            c->log_length[which]++;
        }
        UNLOCK(&c->mutex);
    }
    SET(op->state, BUSY);
}

/* The call was refused; the last that was begun goes first. */
static void unbegin(struct op *op)
{
    struct chan *c = op->chan;

    set_done(op);
    close_other(op);
    if (c) {
        LOCK(&c->mutex);
        c->outstanding--;
        if (op->logged) {
            int which = op->direction;
            struct op **at = &c->log[which], *before = NULL;

            while (*at != op) {
                before = *at;
                at = &before->log;
            }
            CHECK(op->log == NULL);
            *at = NULL;
            c->log_end[which] = before;
            c->log_length[which]--;
        }
        UNLOCK(&c->mutex);
    }
    release(op);
}

static bool may_be_refused(const struct op *op, int err)
{
    return (err == EINVAL || err == EOPNOTSUPP || err == ENOTCONN) &&
           (moves_pages(op->what) || is_fsync(op->what) || op->what == IOEVENT_OP_SHUTDOWN);
}

static void submit_some(struct worker *w, struct chan *c, struct end *e)
{
    struct op *op[4];
    struct ioevent_op o[4];
    int n = 0, most = chance(w, 2) ? 1 : 4, taken, err, what[4];
    struct pipe *p;
    long detaches = GET(e->detaches);

    if (!c->is->mixed)
        LOCK(&c->order);
    p = GET(e->pipe);
    if (p && !GET(p->closed)) {
        while (n < most && (op[n] = prepare(w, c, e, &o[n], false))) {
            if (chance(w, 4)) {
                op[n]->limit = 100 * US + below(w, 30000) * US;
                o[n].ioo_timeout = nanoseconds(op[n]->limit);
            }
            what[n] = op[n]->what;
            SET(e->lately, o[n].ioo_user);
            begin(op[n], c, e, p);
            n++;
        }
        errno = 0;
        taken = n ? ioevent_submit(o, n) : 0;
        err = errno;
        memset(o, 0x5a, sizeof o);
        if (taken == -1 && err == EIOEVENTFULL)
            ADD(fulls, 1);
        else if (taken == -1 && !may_be_refused(op[0], err) &&
                 !(err == EINVAL && (GET(p->closed) || detaches % 2 || GET(e->detaches) != detaches)))
            die(op[0], "ioevent_submit gave errno %d (%s)", err, ioevent_strerror(err));
        if (taken == 0 && n > 0)
            die(op[0], "ioevent_submit took nothing and gave no error");
        for (int i = 0; i < taken; i++)
            ADD(queued[what[i]], 1);
        for (int i = n; i-- > (taken < 0 ? 0 : taken);)
            unbegin(op[i]);
    }
    if (!c->is->mixed)
        UNLOCK(&c->order);
}

/* Takes an operation that was no operation after all off its life; gives those that are over now. */
static struct op *forget_plain(struct life *life, struct op *op)
{
    struct op **at, *over = NULL;

    LOCK(&life->mutex);
    for (at = &life->ops; *at && *at != op; at = &(*at)->next)
        ;
    if (!*at)
        die(op, "an event for a call that was not queued");
    *at = op->next;
    life->queued--;
    if (life->events == life->queued) {
        over = life->ops;
        life->ops = NULL;
    }
    unlock_life(life);
    return over;
}

/* A plain call; the caller holds e->plain, and the lock of its pipe. */
static void call_plain(struct worker *w, struct chan *c, struct end *e)
{
    struct ioevent_op o;
    struct life *life = e->life;
    struct op *op, *over;
    bool mixed = c->is->mixed, busy;
    int what, err;
    long r;

    if (!mixed)
        LOCK(&c->order);
    LOCK(&life->mutex);
    busy = !mixed && life->ops;
    UNLOCK(&life->mutex);
    op = busy ? NULL : prepare(w, c, e, &o, e->flags & IOEVENT_POLLONLY);
    if (op) {
        what = op->what;
        SET(op->life, life);
        SET(e->lately, user_of_life(life));
        begin(op, c, e, e->pipe);
        LOCK(&life->mutex);
        life->queued++;
        op->next = life->ops;
        life->ops = op;
        UNLOCK(&life->mutex);
        errno = 0;
        r = plain_call(&o, op);
        err = errno;
        if (r == -1 && err == EIOEVENTQUEUED) {
            ADD(queued[mixed ? 0 : what], 1);
        } else {
            over = forget_plain(life, op);
            if (r == -1 && (err == EIOEVENTFULL || may_be_refused(op, err))) {
                ADD(fulls, err == EIOEVENTFULL);
                unbegin(op);
            } else if (e->flags & IOEVENT_INLINE) {
                set_done(op);
                op->direct = true;
                op->next = NULL;
                ADD(directs[what], 1);
                complete(op, r, r == -1 ? err : 0);
            } else {
                die(op, "the call gave %ld, errno %d (%s)", r, err, ioevent_strerror(err));
            }
            settle_all(over);
        }
    }
    if (!mixed)
        UNLOCK(&c->order);
}

static void operate(struct worker *w, struct chan *c, struct end *e)
{
    struct pipe *p;
    bool done = false;

    if (chance(w, 2) && pthread_rwlock_tryrdlock(&e->plain) == 0) {
        p = GET(e->pipe);
        if (p && pthread_rwlock_tryrdlock(&p->lock) == 0) {
            done = !GET(p->closed);
            if (done)
                call_plain(w, c, e);
            pthread_rwlock_unlock(&p->lock);
        }
        pthread_rwlock_unlock(&e->plain);
    }
    if (!done)
        submit_some(w, c, e);
}

/* ---- what is done to descriptors ---- */

static void count_cancels(struct end *e, int directions, bool before)
{
    for (int d = 0; d < DIRECTIONS; d++)
        if (directions & 1 << d)
            ADD(*(before ? &e->started[d] : &e->finished[d]), 1);
}

static void cancel(struct worker *w, struct end *e)
{
    struct pipe *p = GET(e->pipe);
    long detaches = GET(e->detaches);
    int n, directions = IOEVENT_CANCEL_ALL, err;
    void *user = GET(e->lately);

    errno = 0;
    if (chance(w, 3)) {
        count_cancels(e, directions, true);
        n = ioevent_cancel(e->fd);
    } else if (chance(w, 2)) {
        directions = 1 + (int)below(w, 7);
        count_cancels(e, directions, true);
        n = ioevent_cancel2(e->fd, directions, NULL);
    } else {
        uint64_t u = (uint64_t)(uintptr_t)user;
        unsigned index = (unsigned)(u >> 1) & 0x7ffff;

        if (u & 1)
            SET(ops[index].cancel_asked, true);
        else
            SET(lives[index].cancel_asked, true);
        n = ioevent_cancel2(e->fd, (1 + (int)below(w, 7)) | IOEVENT_CANCEL_USER, user);
        directions = 0;
        if (u & 1 && n > 1)
            die(NULL, "ioevent_cancel2 ended %d operations with one user pointer", n);
    }
    err = errno;
    count_cancels(e, directions, false);
    if (n > 200 || (n == -1 && !(err == EINVAL && (!p || GET(p->closed) || detaches % 2 ||
                                                   GET(e->detaches) != detaches))))
        die(NULL, "cancel gave %d errno %d", n, err);
}

/* The caller holds e->plain for writing, or nobody else knows the end. */
static void forget_life(struct end *e)
{
    if (e->life)
        retire(e->life);
    e->life = NULL;
    SET(e->pipe, NULL);
    e->flags = 0;
}

static void detach(struct end *e)
{
    ADD(e->detaches, 1);
    count_cancels(e, 7, true);
    DETACH(e->fd);
    count_cancels(e, 7, false);
    forget_life(e);
    ATTACHED(e->fd, -1, 0);
    ADD(e->detaches, 1);
}

/* Attaches to this pipe, unless it is being closed. The caller keeps others from doing so. */
static bool attach(struct chan *c, struct end *e, struct pipe *p)
{
    struct life *life;
    bool done = false;

    if (pthread_rwlock_tryrdlock(&p->lock) != 0)
        return false;
    if (!GET(p->closed)) {
        life = new_life(c, p);
        ATTACH(e->fd, p->fd, user_of_life(life));
        ATTACHED(e->fd, p->fd, user_of_life(life));
        SAME(ioevent_fcntl(e->fd, F_GETIOEVENTFLAGS), e->flags);
        if (e->life)
            retire(e->life);
        e->life = life;
        e->last = p;
        SET(e->pipe, p);
        done = true;
    }
    pthread_rwlock_unlock(&p->lock);
    return done;
}

static struct pipe *some_pipe(struct worker *w) { return GET(pipes[below(w, PIPES)]); }

/* To another pipe, or with another user pointer. The caller holds the slot for writing. */
static void move(struct worker *w, struct chan *c, struct end *e)
{
    struct pipe *old = e->pipe;

    if (!old) {
        attach(c, e, some_pipe(w));
    } else if (pthread_rwlock_tryrdlock(&old->lock) == 0) {
        if (old->closed)
            forget_life(e);
        attach(c, e, some_pipe(w));
        pthread_rwlock_unlock(&old->lock);
    }
}

/* Time limit, or flags. The caller holds e->plain for writing. */
static void set_up(struct worker *w, struct end *e, bool flags)
{
    struct pipe *p = e->pipe;

    if (!p || pthread_rwlock_tryrdlock(&p->lock) != 0)
        return;
    if (p->closed) {
        ;
    } else if (flags) {
        e->flags = ONE_OF(((int[]){ 0, IOEVENT_INLINE, IOEVENT_INLINE, IOEVENT_POLLONLY | IOEVENT_INLINE }), 4);
        GIVES(ioevent_fcntl(e->fd, F_SETIOEVENTFLAGS, e->flags), 0);
    } else {
        long long limit = chance(w, 2) ? 0 : 5 * MS + below(w, 20000) * US, old = e->timeo;
        struct timespec t = nanoseconds(limit), got;

        if (limit && (!old || limit < old))
            SET(e->timeo, limit);
        GIVES(ioevent_fcntl(e->fd, F_SETIOEVENTTIMEO, &t), 0);
        GIVES(ioevent_fcntl(e->fd, F_GETIOEVENTTIMEO, &got), 0);
        SAME(got.tv_sec * SECOND + got.tv_nsec, limit);
    }
    pthread_rwlock_unlock(&p->lock);
}

/* A copy that is not attached, and keeps the open file alive. */
static void copy(struct worker *w, struct chan *c, struct end *e)
{
    LOCK(&c->order);
    if (c->ndups == 2) {
        OK(close(c->dup[--c->ndups]));
    } else {
        int fd = chance(w, 2) ? OK(dup(e->fd)) : OK(ioevent_fcntl(e->fd, F_DUPFD_CLOEXEC, 0));

        ATTACHED(fd, -1, 0);
        c->dup[c->ndups++] = fd;
    }
    UNLOCK(&c->order);
}

/* ---- opening and closing ---- */

static void open_pty(int fd[2])
{
    struct termios t;

    fd[1] = OK(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    OK(grantpt(fd[1]));
    OK(unlockpt(fd[1]));
    fd[0] = OK(ioctl(fd[1], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    OK(tcgetattr(fd[0], &t));
    cfmakeraw(&t);
    OK(tcsetattr(fd[0], TCSANOW, &t));
}

static int open_file(const char *name, bool filled)
{
    char path[100];
    int fd;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    fd = OK(open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    OK(unlink(path));
    if (filled)
        GIVES(write(fd, table, FILE_SIZE), FILE_SIZE);
    return fd;
}

static void open_fds(struct worker *w, struct chan *c, int fd[2])
{
    char path[100], number[20];
    int size = 5000;
    struct itimerspec often = { { 0, 200000 }, { 0, 200000 } };

    fd[0] = fd[1] = -1;
    snprintf(number, sizeof number, "%td", c - chans);
    switch (c->kind) {
    case K_PIPE:
        OK(pipe2(fd, O_CLOEXEC));
        if (chance(w, 3))
            fcntl(fd[0], F_SETPIPE_SZ, 4096);
        break;
    case K_FIFO:
        snprintf(path, sizeof path, "%s/%s", dir, number);
        OK(mkfifo(path, 0600));
        fd[0] = OK(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        fd[1] = OK(open(path, O_WRONLY | O_CLOEXEC));
        OK(unlink(path));
        set_nonblock(fd[0], false);
        break;
    case K_PTY:
        open_pty(fd);
        break;
    case K_DGRAM:
        OK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fd));
        break;
    case K_SEQPACKET:
        OK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd));
        break;
    case K_TCP:
    case K_MIX_TCP:
        CHECK(tcp_pair(AF_INET, fd));
        break;
    case K_FILE_READ:
        fd[0] = open_file(number, true);
        OK(lseek(fd[0], 0, SEEK_SET));
        break;
    case K_FILE_WRITE:
        fd[1] = open_file(number, false);
        break;
    case K_FILE_AT:
        fd[0] = open_file(number, true);
        break;
    case K_COUNTER:
        fd[0] = OK(eventfd(0, EFD_CLOEXEC));
        fd[1] = OK(dup(fd[0]));
        break;
    case K_CLOCK:
        fd[0] = OK(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
        often.it_interval.tv_nsec += below(w, 3000000);
        OK(timerfd_settime(fd[0], 0, &often, NULL));
        break;
    case K_LISTEN_TCP:
        fd[0] = listener(AF_INET, 3, &c->address);
        break;
    case K_LISTEN_UNIX:
        fd[0] = listener(AF_UNIX, 3, &c->address);
        break;
    case K_MIX_UDP:
        fd[0] = bound_socket(AF_INET, SOCK_DGRAM, &c->address);
        fd[1] = OK(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        OK(connect(fd[1], SOCKADDR(&c->address), c->address.length));
        c->address.length = sizeof c->address.storage;
        OK(getsockname(fd[1], SOCKADDR(&c->address), &c->address.length));
        OK(connect(fd[0], SOCKADDR(&c->address), c->address.length));
        break;
    default:
        unix_pair(fd);
        break;
    }
    if (c->is->socket && fd[1] != -1 && chance(w, 3))
        OK(setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size));
    if ((c->is->stream || c->is->messages) && fd[0] != -1 && fd[1] != -1 && c->kind != K_PIPE && c->kind != K_FIFO &&
        chance(w, 2)) {
        int other = fd[0];

        fd[0] = fd[1];
        fd[1] = other;
    }
}

static struct chan *open_chan(struct worker *w)
{
    struct chan *c;
    struct end *e;
    int fd[2], kind;

    LOCK(&pool_mutex);
    c = free_chans;
    if (c)
        free_chans = c->next;
    UNLOCK(&pool_mutex);
    if (!c)
        return NULL;
    do
        kind = (int)below(w, KINDS);
    while (!(kind_mask >> kind & 1));
    c->kind = (enum kind)kind;
    c->is = &kind_info[kind];
    c->start = below(w, FILE_SIZE);
    c->used = 0;
    c->log[0] = c->log[1] = c->log_end[0] = c->log_end[1] = NULL;
    c->log_length[0] = c->log_length[1] = c->ndups = c->outstanding = 0;
    c->sum[0] = c->sum[1] = 0;
    c->tainted = c->ended = c->shut = c->closing = c->graceful = c->big_value = false;
    ADD(live_chans, 1);
    open_fds(w, c, fd);
    if (kind == K_FILE_READ) { /* as if somebody had written the file */
        struct op *op = new_op(false);

        if (!op) { /* it is not important */
            OK(close(fd[0]));
            unix_pair(fd);
            c->kind = K_MIX_UNIX;
            c->is = &kind_info[K_MIX_UNIX];
        } else {
            op->what = IOEVENT_OP_WRITE;
            op->direction = OUT;
            op->chan = c;
            op->result = FILE_SIZE;
            op->done = op->logged = op->poisoned = true;
            SET(op->state, DONE);
            c->log[OUT] = c->log_end[OUT] = op;
            c->log_length[OUT] = 1;
        }
    }
    c->nends = 0;
    for (int i = 0; i < ENDS; i++) {
        e = &c->end[i];
        e->fd = i < 2 ? fd[i] : c->is->mixed ? OK(dup(fd[below(w, 2)])) : -1;
        if (e->fd == -1)
            continue;
        c->nends = i + 1;
        if (chance(w, 3))
            set_nonblock(e->fd, true);
        e->reads = i == 0 || c->is->mixed;
        e->writes = i == 1 || c->is->mixed || c->kind == K_FILE_AT;
        e->pipe = e->last = NULL;
        e->life = NULL;
        e->lately = NULL;
        e->flags = 0;
        e->detaches = 0;
        e->timeo = 0;
        memset(e->started, 0, sizeof e->started);
        memset(e->finished, 0, sizeof e->finished);
        attach(c, e, some_pipe(w));
    }
    for (int i = 0; i < ENDS; i++)
        if (c->end[i].fd != -1)
            c->end[i].file_flags = OK(fcntl(c->end[i].fd, F_GETFL));
    return c;
}

/* It is in no slot any more. */
static void close_chan(struct worker *w, struct chan *c)
{
    bool verified = c->is->stream || c->is->messages || c->kind == K_COUNTER, last;
    bool graceful = verified && !GET(c->tainted) && !chance(w, 3);
    int first = (int)below(w, ENDS);

    if (!graceful)
        SET(c->ended, true);
    for (int i = 0; i < ENDS; i++) {
        struct end *e = &c->end[(i + first) % ENDS];

        if (e->fd == -1)
            continue;
        if (graceful) {
            detach(e);
            continue;
        }
        ADD(e->detaches, 1);
        count_cancels(e, 7, true);
        GIVES(ioevent_close(e->fd), 0);
        forget_life(e);
    }
    LOCK(&c->mutex);
    c->graceful = graceful;
    c->closing = true;
    last = c->outstanding == 0;
    UNLOCK(&c->mutex);
    if (last)
        finish(c);
}

static void change_slot(struct worker *w, struct slot *slot)
{
    struct chan *old, *new = open_chan(w);

    ZERO(pthread_rwlock_wrlock(&slot->lock));
    old = slot->chan;
    slot->chan = new;
    ZERO(pthread_rwlock_unlock(&slot->lock));
    if (old)
        close_chan(w, old);
}

/* A socket of its own that connects to the listener of this slot, and perhaps writes and reads. */
static void connect_some(struct worker *w, struct chan *c)
{
    static const int what[4] = { IOEVENT_OP_CONNECT, IOEVENT_OP_SEND, IOEVENT_OP_RECV, IOEVENT_OP_POLL };
    struct pipe *p = some_pipe(w);
    struct conn *conn;
    struct op *op[4];
    struct ioevent_op o[4];
    int n = 0, most = 1 + (int)below(w, 4), taken, kinds[4], err;

    if (pthread_rwlock_tryrdlock(&p->lock) != 0)
        return;
    LOCK(&pool_mutex);
    conn = p->closed ? NULL : free_conns;
    if (conn)
        free_conns = conn->next;
    UNLOCK(&pool_mutex);
    if (conn) {
        conn->fd = OK(socket(c->address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        conn->refs = 1;
        conn->cancelled = false;
        ATTACH(conn->fd, p->fd, FOREIGN);
        while (n < most && (op[n] = new_op(false))) {
            struct op *a = op[n];

            a->what = kinds[n] = what[n];
            a->direction = what[n] == IOEVENT_OP_RECV ? IN : what[n] == IOEVENT_OP_POLL ? POLL : OUT;
            a->conn = conn;
            a->limit = 30 * MS + below(w, 100) * MS;
            o[n] = (struct ioevent_op){ .ioo_kind = (unsigned short)what[n], .ioo_fd = conn->fd, .ioo_user = user_of(a),
                                        .ioo_timeout = nanoseconds(a->limit) };
            if (what[n] == IOEVENT_OP_CONNECT) {
                memcpy(&a->room->addr, &c->address.storage, sizeof a->room->addr);
                a->room->addrlen = c->address.length;
                o[n].ioo_addr = (struct sockaddr *)&a->room->addr;
                o[n].ioo_addrlen = &a->room->addrlen;
            } else if (what[n] == IOEVENT_OP_POLL) {
                o[n].ioo_arg = a->flags = POLLIN;
            } else {
                o[n].ioo_buf = a->room->data;
                o[n].ioo_len = a->len = 1 + below(w, 2000);
                if (what[n] == IOEVENT_OP_SEND)
                    memcpy(a->room->data, table, a->len);
            }
            ADD(conn->refs, 1);
            begin(a, NULL, NULL, p);
            n++;
        }
        errno = 0;
        taken = n ? ioevent_submit(o, n) : 0;
        err = errno;
        if (taken == -1 && err != EIOEVENTFULL)
            die(op[0], "ioevent_submit gave errno %d (%s)", err, ioevent_strerror(err));
        for (int i = 0; i < taken; i++)
            ADD(queued[kinds[i]], 1);
        for (int i = taken < 0 ? 0 : taken; i < n; i++) {
            unbegin(op[i]);
            conn_put(conn);
        }
        if (chance(w, 20)) {
            SET(conn->cancelled, true);
            OK(ioevent_cancel(conn->fd));
        }
        conn_put(conn);
    }
    pthread_rwlock_unlock(&p->lock);
}

/* ---- pipes ---- */

static struct pipe *open_pipe(struct worker *w)
{
    struct pipe *p;

    LOCK(&pool_mutex);
    p = retired;
    CHECK(p != NULL);
    retired = p->next;
    if (!retired)
        retired_end = NULL;
    UNLOCK(&pool_mutex);
    p->nonblock = chance(w, 2);
    p->fd = OK(ioeventpipe2(20 + (int)below(w, 150), O_CLOEXEC | (p->nonblock ? O_NONBLOCK : 0)));
    p->started = p->finished = 0;
    p->readers = 0;
    p->until = now_ns() + (1000 + below(w, 7000)) * MS; /* mostly a pause counts its operations before */
    SET(p->closed, false);
    return p;
}

static void retire_pipe(struct pipe *p)
{
    LOCK(&pool_mutex);
    p->next = NULL;
    if (retired_end)
        retired_end->next = p;
    else
        retired = p;
    retired_end = p;
    UNLOCK(&pool_mutex);
}

static void enter(struct worker *w) { ADD(w->sections, 1); }
static void leave(struct worker *w) { ADD(w->sections, 1); }

/* Until everybody has left the section that he is in now. The caller is in none. */
static void grace(void)
{
    for (int i = 0; i <= THREADS_MAX; i++) {
        long n = GET(workers[i].sections);

        if (n % 2)
            UNTIL(GET(workers[i].sections) != n);
    }
}

/* No operation of a pipe that is closed will have an event any more. The caller is in no section. */
static void sweep(struct pipe *p)
{
    grace();
    for (int i = 0; i < SLOTS; i++) {
        struct chan *c;

        ZERO(pthread_rwlock_rdlock(&slots[i].lock));
        c = slots[i].chan;
        for (int k = 0; c && k < c->nends; k++) {
            struct end *e = &c->end[k];

            if (e->fd == -1)
                continue;
            ZERO(pthread_rwlock_wrlock(&e->plain));
            if (e->pipe == p) {
                ATTACHED(e->fd, -1, 0);
                forget_life(e);
            }
            ZERO(pthread_rwlock_unlock(&e->plain));
        }
        ZERO(pthread_rwlock_unlock(&slots[i].lock));
    }
    for (int i = 0; i < OPS; i++) {
        struct op *op = &ops[i];
        int busy = BUSY;

        if (GET(op->state) == BUSY && !GET(op->life) && GET(op->pipe) == p &&
            __atomic_compare_exchange_n(&op->state, &busy, DONE, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            ADD(gone[op->what], 1);
            lose(op);
        }
    }
    for (int i = 0; i < LIVES; i++) {
        struct life *life = &lives[i];
        struct op *op, *next;

        LOCK(&life->mutex);
        if (!life->used || life->pipe != p || life->queued == life->events) {
            UNLOCK(&life->mutex);
            continue;
        }
        op = life->ops;
        ADD(gone[life->chan->is->mixed ? 0 : op->what], life->queued - life->events);
        life->ops = NULL;
        life->events = life->queued;
        unlock_life(life);
        for (; op; op = next) {
            next = op->next;
            set_done(op);
            lose(op);
        }
    }
}

/* Descriptors that are attached to it will be detached: that ends what they have outstanding on other pipes. */
static void detaches_all(struct pipe *p)
{
    for (int i = 0; i < SLOTS; i++) {
        struct chan *c;

        ZERO(pthread_rwlock_rdlock(&slots[i].lock));
        c = slots[i].chan;
        for (int k = 0; c && k < c->nends; k++)
            if (GET(c->end[k].pipe) == p)
                count_cancels(&c->end[k], 7, true);
        ZERO(pthread_rwlock_unlock(&slots[i].lock));
    }
}

/* The caller is in no section. */
static void close_pipe(struct worker *w, int which)
{
    struct pipe *p = GET(pipes[which]), *new;

    if (GET(p->closed) || now_ns() < p->until || pthread_rwlock_trywrlock(&p->lock) != 0)
        return;
    if (p->closed || GET(pipes[which]) != p) {
        pthread_rwlock_unlock(&p->lock);
        return;
    }
    new = open_pipe(w);
    detaches_all(p);
    SET(p->closed, true);
    GIVES(ioevent_close(p->fd), 0);
    SET(pipes[which], new);
    ZERO(pthread_rwlock_unlock(&p->lock));
    sweep(p);
    ADD(pipes_closed, 1);
    retire_pipe(p);
}

/* Returns how many it has posted. */
static int post_some(struct worker *w, struct pipe *p)
{
    struct ioevent e[4];
    struct op *op[4];
    int n = 0, most = 1 + (int)below(w, 4), fit;
    ssize_t r;

    while (n < most && (op[n] = new_op(false))) {
        op[n]->what = POSTED;
        op[n]->value = (uint64_t)below(w, 100) << 32 | next_random(&w->seed) >> 1;
        e[n] = (struct ioevent){ user_of(op[n]), (int)op[n]->value, (int)(op[n]->value >> 32) };
        if (e[n].ioe_errno == EAGAIN || e[n].ioe_errno == EINTR)
            op[n]->value = (uint64_t)(uint32_t)e[n].ioe_result, e[n].ioe_errno = 0;
        begin(op[n], NULL, NULL, p);
        n++;
    }
    if (n == 0)
        return 0;
    errno = 0;
    if (chance(w, 4)) {
        struct iovec iov[2] = { { e, sizeof *e }, { e + 1, (size_t)(n - 1) * sizeof *e } };

        r = ioevent_writev(p->fd, iov, 2);
    } else {
        r = ioevent_write(p->fd, e, (size_t)n * sizeof *e);
    }
    if (r == 0 || r % (ssize_t)sizeof *e > 0 || r > (ssize_t)sizeof e || (r == -1 && errno != EIOEVENTFULL))
        die(op[0], "posting gave %zd, errno %d", r, errno);
    fit = r == -1 ? 0 : (int)(r / (ssize_t)sizeof *e);
    ADD(queued[POSTED], fit);
    ADD(fulls, fit < n);
    for (int i = fit; i < n; i++)
        unbegin(op[i]);
    return fit;
}

static void start_timers(struct worker *w, struct pipe *p)
{
    struct ioevent_op o[4];
    struct op *op[4];
    int n = 0, most = 1 + (int)below(w, 4), taken;

    while (n < most && (op[n] = new_op(false))) {
        op[n]->what = IOEVENT_OP_TIMER;
        op[n]->limit = chance(w, 10) ? 0 : below(w, 40000) * US;
        o[n] = (struct ioevent_op){ .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p->fd, .ioo_user = user_of(op[n]),
                                    .ioo_timeout = nanoseconds(op[n]->limit) };
        begin(op[n], NULL, NULL, p);
        n++;
    }
    if (n == 0)
        return;
    errno = 0;
    taken = ioevent_submit(o, n);
    if (taken == 0 || (taken == -1 && errno != EIOEVENTFULL))
        die(op[0], "timers: ioevent_submit gave %d, errno %d", taken, errno);
    ADD(fulls, taken < n);
    ADD(queued[IOEVENT_OP_TIMER], taken < 0 ? 0 : taken);
    for (int i = taken < 0 ? 0 : taken; i < n; i++)
        unbegin(op[i]);
}

/* A number below the places taken is refused; all others are taken. */
static void resize(struct worker *w, struct pipe *p)
{
    int size = 1 + (int)below(w, 200), r;

    errno = 0;
    r = ioevent_fcntl(p->fd, F_SETIOEVENTSZ, size);
    if (r != size && !(r == -1 && errno == EBUSY))
        die(NULL, "F_SETIOEVENTSZ, %d gave %d, errno %d", size, r, errno);
    CHECK(OK(ioevent_fcntl(p->fd, F_GETIOEVENTSZ)) >= 1);
    CHECK(OK(ioevent_fcntl(p->fd, F_GETIOEVENTCNT)) >= 0);
    ADD(resizes, 1);
}

/* Calls on the number of a pipe that must not be another file's. */
static void act_on_pipe(struct worker *w, enum action action)
{
    struct pipe *p = some_pipe(w);

    if (pthread_rwlock_tryrdlock(&p->lock) != 0)
        return;
    if (p->closed) {
        ;
    } else if (action == A_POST) {
        post_some(w, p);
    } else if (action == A_TIMER) {
        start_timers(w, p);
    } else if (action == A_RESIZE) {
        resize(w, p);
    } else {
        ADD(p->started, 1);
        if (chance(w, 2))
            OK(ioevent_cancel(p->fd));
        else
            OK(ioevent_cancel2(p->fd, 1 << below(w, 3), NULL));
        ADD(p->finished, 1);
    }
    pthread_rwlock_unlock(&p->lock);
}

static void take_events(const struct ioevent *e, int n)
{
    for (int i = 0; i < n; i++)
        take_event(&e[i]);
    ADD(harvests, n > 0);
}

/* Harvests once. Returns how many there were. */
static int harvest_wait(struct pipe *p, int room, long long ns)
{
    struct ioevent e[256];
    struct timespec t = nanoseconds(ns);
    int n;

    errno = 0;
    n = ioevent_wait(p->fd, e, room, &t);
    if (n > room || n < -1 || (n == -1 && !((errno == EBADF || errno == EINVAL) && GET(p->closed))))
        die(NULL, "ioevent_wait for %d gave %d, errno %d", room, n, errno);
    take_events(e, n);
    return n;
}

/* The same with read, which may wait for ever, or after poll. */
static void harvest_read(struct worker *w, struct pipe *p)
{
    struct ioevent e[64];
    struct pollfd ready = { .fd = p->fd, .events = POLLIN };
    size_t room = 1 + below(w, 64);
    struct iovec iov[2] = { { e, sizeof *e }, { e + 1, (room - 1) * sizeof *e } };
    ssize_t r;

    if (pthread_rwlock_tryrdlock(&p->lock) != 0)
        return;
    if (!p->closed && (p->nonblock || (chance(w, 20) && (threads > 0 || post_some(w, p) > 0)))) {
        if (p->nonblock && chance(w, 4))
            poll(&ready, 1, 3);
        ADD(p->readers, !p->nonblock);
        errno = 0;
        r = chance(w, 4) ? ioevent_readv(p->fd, iov, 2) : ioevent_read(p->fd, e, room * sizeof *e);
        ADD(p->readers, -!p->nonblock);
        if (r == 0 || r > (ssize_t)(room * sizeof *e) || r % (ssize_t)sizeof *e > 0 ||
            (r == -1 && !(errno == EAGAIN && p->nonblock)))
            die(NULL, "ioevent_read of a pipe gave %zd, errno %d", r, errno);
        if (r > 0)
            take_events(e, (int)(r / (ssize_t)sizeof *e));
    }
    pthread_rwlock_unlock(&p->lock);
}

/* For ever; it posts something before, so that it does not wait for long, unless others take that. */
static void harvest_for_ever(struct worker *w, struct pipe *p)
{
    struct ioevent e[64];
    int room = 1 + (int)below(w, 64), n;

    if (pthread_rwlock_tryrdlock(&p->lock) != 0)
        return;
    if (!p->closed && post_some(w, p) > 0) {
        ADD(p->readers, 1);
        errno = 0;
        n = ioevent_wait(p->fd, e, room, NULL);
        ADD(p->readers, -1);
        if (n < 1 || n > room)
            die(NULL, "ioevent_wait for %d, for ever, gave %d, errno %d", room, n, errno);
        take_events(e, n);
    }
    pthread_rwlock_unlock(&p->lock);
}

static void harvest(struct worker *w)
{
    static const int rooms[] = { 1, 2, 16, 64, 256 };
    static const int waits[] = { 0, 0, 0, 100, 1000, 20000 };
    struct pipe *p = some_pipe(w);

    if (chance(w, 3))
        harvest_read(w, p);
    else if (chance(w, threads > 0 ? 10 : 3))
        harvest_for_ever(w, p);
    else
        /* Alone there is nobody else who does something meanwhile: seldom for long. */
        harvest_wait(p, ONE_OF(rooms, LENGTH(rooms)),
                     ONE_OF(waits, threads > 0 || chance(w, 30) ? LENGTH(waits) : 4) * US);
}

/* ---- the threads ---- */

static void act_on_slot(struct worker *w, enum action action)
{
    struct slot *slot = &slots[below(w, SLOTS)];
    bool alone = action == A_MOVE, reopen = action == A_CLOSE;
    struct chan *c;

    if (!reopen) {
        ZERO(alone ? pthread_rwlock_wrlock(&slot->lock) : pthread_rwlock_rdlock(&slot->lock));
        c = slot->chan;
        reopen = !c || (GET(c->tainted) && chance(w, 4));
        if (c && !reopen) {
            struct end *e = &c->end[below(w, (uint32_t)c->nends)];
            bool locks = action == A_DETACH || action == A_ATTACH || action == A_TIMEO || action == A_FLAGS;

            if (e->fd == -1) {
                ;
            } else if (locks) {
                ZERO(pthread_rwlock_wrlock(&e->plain));
                if (action == A_DETACH)
                    detach(e);
                else if (action == A_ATTACH && !e->pipe && e->last)
                    attach(c, e, e->last); /* to the same: somebody may be submitting */
                else if (action != A_ATTACH)
                    set_up(w, e, action == A_FLAGS);
                ZERO(pthread_rwlock_unlock(&e->plain));
            } else if (alone) {
                move(w, c, e);
            } else if (action == A_OPERATE) {
                if (!GET(e->pipe))
                    action = A_ATTACH;
                else
                    operate(w, c, e);
            } else if (action == A_CANCEL) {
                cancel(w, e);
            } else if (action == A_DUP) {
                copy(w, c, e);
            } else if (action == A_CONNECT && c->address.length > 0 && !c->is->mixed) {
                connect_some(w, c);
            }
        }
        ZERO(pthread_rwlock_unlock(&slot->lock));
    }
    if (reopen)
        change_slot(w, slot);
}

static enum action some_action(struct worker *w)
{
    static const struct { unsigned char weight; enum action action; } weights[] = {
        { 90, A_HARVEST }, { 100, A_OPERATE }, { 6, A_CANCEL }, { 2, A_DETACH }, { 12, A_ATTACH }, { 10, A_MOVE },
        { 2, A_TIMEO }, { 4, A_FLAGS }, { 3, A_DUP }, { 3, A_CLOSE }, { 8, A_CONNECT }, { 5, A_POST }, { 5, A_TIMER },
        { 1, A_CANCEL_TIMERS }, { 1, A_RESIZE }, { 1, A_CLOSE_PIPE }, { 1, A_EXIT },
    };
    uint32_t total = 0, r;
    unsigned i;

    for (i = 0; i < LENGTH(weights); i++)
        total += weights[i].weight;
    r = below(w, total);
    for (i = 0; r >= weights[i].weight; i++)
        r -= weights[i].weight;
    return weights[i].action;
}

static void act(struct worker *w, enum action action)
{
    if (action == A_CLOSE_PIPE) {
        close_pipe(w, (int)below(w, PIPES));
        return;
    }
    enter(w);
    switch (action) {
    case A_HARVEST:
        harvest(w);
        break;
    case A_POST:
    case A_TIMER:
    case A_CANCEL_TIMERS:
    case A_RESIZE:
        act_on_pipe(w, action);
        break;
    default:
        act_on_slot(w, action);
    }
    leave(w);
}

static void *work(void *arg)
{
    struct worker *w = arg;

    while (!GET(over)) {
        enum action action = some_action(w);

        if (GET(pausing)) {
            SET(w->parked, true);
            while (GET(pausing))
                breathe();
            SET(w->parked, false);
            continue;
        }
        if (action_mask >> action & 1)
            continue;
        if (action != A_EXIT)
            act(w, action);
        else if (chance(w, 200))
            break;
    }
    SET(w->exited, true);
    return NULL;
}

/* Without threads: what they would do, in this one. */
static void act_alone(struct worker *w)
{
    enum action action = some_action(w);

    if (action != A_EXIT && !(action_mask >> action & 1))
        act(w, action);
}

/* Threads that have ended are replaced. */
static void tend(void)
{
    for (int i = 0; i < threads; i++)
        if (GET(workers[i].exited) && !GET(over)) {
            ZERO(pthread_join(workers[i].thread, NULL));
            workers[i].exited = false;
            deaths++;
            workers[i].thread = start_thread(work, &workers[i]);
        }
}

static void pause_all(struct worker *w)
{
    SET(pausing, 1);
    for (int i = 0; i < threads; i++)
        while (!GET(workers[i].parked) && !GET(workers[i].exited)) {
            enter(w);
            for (int k = 0; k < PIPES; k++) { /* who waits in a read has to be given something */
                struct pipe *p = GET(pipes[k]);

                if (GET(p->readers) == 0 || pthread_rwlock_tryrdlock(&p->lock) != 0)
                    continue;
                if (!p->closed) {
                    OK(ioevent_fcntl(p->fd, F_SETIOEVENTSZ, OPS)); /* it may be full of what waits */
                    post_some(w, p);
                }
                pthread_rwlock_unlock(&p->lock);
            }
            leave(w);
            breathe();
        }
}

static void resume(void)
{
    SET(pausing, 0);
    for (int i = 0; i < threads; i++) /* or one of them might miss the next pause */
        UNTIL(!GET(workers[i].parked));
}

/* ---- the pauses ---- */

static int harvest_all(void)
{
    int total = 0;

    for (int i = 0; i < PIPES; i++)
        for (int n = 1; n > 0; total += n > 0 ? n : 0)
            n = harvest_wait(pipes[i], 256, 0);
    return total;
}

/* An operation that waits although its descriptor is ready; NULL if there is none. */
static struct op *waits_in_vain(void)
{
    for (int i = 0; i < OPS; i++) {
        struct op *op = &ops[i];
        struct pollfd ready = { .fd = op->end ? op->end->fd : -1 };

        if (GET(op->state) != BUSY)
            continue;
        if (op->limit && now_ns() - op->begun > op->limit + (slow() ? 20 : 2) * SECOND)
            die(op, "it has a time limit, and waits still");
        if (!op->chan || op->chan->closing || (op->life && op->chan->is->mixed) ||
            (op->direction == IN && op->flags & (MSG_WAITALL | MSG_ERRQUEUE)))
            continue;
        if (op->what == IOEVENT_OP_POLL)
            ready.events = (short)op->flags;
        else if (op->direction == IN)
            ready.events = POLLIN;
        else if (!op->chan->big_value)
            ready.events = POLLOUT;
        if (op->chan->kind == K_PTY) /* the kernel wakes nobody when a terminal can take more */
            ready.events &= ~POLLOUT;
        if (poll(&ready, 1, 0) != 0 && ready.revents) {
            op->value = (uint64_t)ready.revents; /* to be shown */
            return op;
        }
    }
    return NULL;
}

static bool all_over(void)
{
    for (int i = 0; i < OPS; i++)
        if (GET(ops[i].state) == BUSY)
            return false;
    return true;
}

/* Waits until nothing happens any more. With `all`: until no operation is outstanding. */
static void settle(bool all)
{
    long long quiet = now_ns(), end = quiet + (slow() ? 120 : 30) * SECOND;
    struct op *op = NULL;

    for (;;) {
        if (harvest_all() > 0)
            quiet = now_ns();
        if (all ? all_over() && GET(live_chans) == 0 : now_ns() - quiet > 40 * MS && !(op = waits_in_vain()))
            return;
        if (now_ns() > end && (now_ns() - quiet > 5 * SECOND || !all))
            break;
        breathe();
    }
    for (int i = 0; !op && i < OPS; i++)
        if (GET(ops[i].state) == BUSY)
            op = &ops[i];
    for (int i = 0; op && op->end && i < OPS; i++)
        if (GET(ops[i].state) == BUSY && ops[i].chan == op->chan && &ops[i] != op)
            dprintf(2, "beside it: %s of %zu on fd %d, direction %d, %s, flags %#x, %lld us ago\n",
                    what_name[ops[i].what], ops[i].len, ops[i].end->fd, ops[i].direction,
                    ops[i].life ? "plain" : "submitted", ops[i].flags, (now_ns() - ops[i].begun) / US);
    if (op)
        die(op, "%s (revents %#x)",
            all ? "it was ended, and its event never came" : "it waits although the descriptor is ready",
            (unsigned)op->value);
    die(NULL, "%ld channels are not closed", GET(live_chans));
}

static void check_counts(void)
{
    long taken[PIPES] = { 0 };

    for (int k = 0; k < PIPES; k++) {
        for (int i = 0; i < OPS; i++)
            taken[k] += ops[i].state == BUSY && !ops[i].life && ops[i].pipe == pipes[k];
        for (int i = 0; i < LIVES; i++)
            taken[k] += lives[i].used && lives[i].pipe == pipes[k] ? lives[i].queued - lives[i].events : 0;
        if (ioevent_fcntl(pipes[k]->fd, F_GETIOEVENTCNT) != taken[k])
            die(NULL, "%d places of a pipe are taken, and %ld operations outstanding",
                ioevent_fcntl(pipes[k]->fd, F_GETIOEVENTCNT), taken[k]);
    }
    for (int i = 0; i < WHATS; i++)
        if (queued[i] < events[i] + gone[i])
            die(NULL, "%s: %ld queued, %ld events, %ld gone with their pipe", what_name[i], queued[i], events[i],
                gone[i]);
    for (int i = 0; i < OPS; i++)
        if (ops[i].state == FREE)
            check_poison(&ops[i], "in a pause");
}

static long resident_kb(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[200];
    long kb = 0;

    CHECK(f != NULL);
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "RssAnon: %ld", &kb) == 1)
            break;
    fclose(f);
    return kb;
}

/* Everything is closed: nothing may be left. Opens everything anew, if there is to be more. */
static void start_over(struct worker *w, bool more)
{
    static int fds = -1;
    static long kb, rounds;
    int now;

    for (int i = 0; i < SLOTS; i++) {
        struct chan *old = slots[i].chan;

        slots[i].chan = NULL;
        if (old)
            close_chan(w, old);
    }
    settle(true);
    check_counts();
    for (int i = 0; i < WHATS; i++)
        if (queued[i] != events[i] + gone[i])
            die(NULL, "%s: %ld queued, %ld events, %ld gone with their pipe", what_name[i], queued[i], events[i],
                gone[i]);
    for (int i = 0; i < LIVES; i++)
        CHECK(!lives[i].used);
    for (int i = 0; i < PIPES; i++)
        SAME(ioevent_fcntl(pipes[i]->fd, F_GETIOEVENTCNT), 0);
    now = count_fds();
    if (fds == -1)
        fds = now;
    if (now > fds + 8)
        die(NULL, "%d descriptors, %d at first", now, fds);
    if (++rounds == 3)
        kb = resident_kb();
    if (!more && rounds > 6 && !slow()) {
        printf("memory: %ld kB after the third round, %ld kB at the end of round %ld\n", kb, resident_kb(), rounds);
        if (resident_kb() > kb * 5 / 4 + 16000)
            die(NULL, "memory grows");
    }
    for (int i = 0; i < SLOTS && more; i++)
        slots[i].chan = open_chan(w);
}

static void say(void)
{
    long total = 0;

    for (int i = 0; i < WHATS; i++) {
        total += queued[i];
        if (queued[i] + directs[i])
            printf("%-10s %9ld queued %9ld events %7ld gone with their pipe %8ld direct\n",
                   i ? what_name[i] : "mixed plain", queued[i], events[i], gone[i], directs[i]);
    }
    printf("%ld operations in %ld harvests; %ld refused (full), %ld canceled, %ld timed out, %ld parts\n", total,
           harvests, fulls, canceled, timed_out, parts);
    printf("%ld bytes and %ld messages compared; %ld connections accepted; closed %ld channels, %ld pipes; "
           "%ld resizes, %ld attachments, %ld threads ended\n",
           bytes_verified, messages_verified, accepted, chans_closed, pipes_closed, resizes, attachments, deaths);
}

static void set_up_pools(void)
{
    const size_t small_size = (size_t)SMALL_OPS * SMALL_ROOM, big_size = (size_t)BIG_OPS * BIG_ROOM;
    unsigned char *rooms =
        mmap(NULL, small_size + big_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_rwlockattr_t attr;

    CHECK(rooms != MAP_FAILED);
    put_pattern(table, 0, sizeof table);
    memset(poison, POISON, sizeof poison);
    for (unsigned i = 0; i < OPS; i++) {
        struct op *op = &ops[i];

        op->index = i;
        op->room = (struct room *)(rooms + (i < SMALL_OPS ? (size_t)i * SMALL_ROOM
                                                          : small_size + (size_t)(i - SMALL_OPS) * BIG_ROOM));
        op->size = (i < SMALL_OPS ? SMALL_ROOM : BIG_ROOM) - sizeof *op->room;
        release(op);
    }
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    for (unsigned i = 0; i < LIVES; i++) {
        lives[i].index = i;
        pthread_mutex_init(&lives[i].mutex, NULL);
        lives[i].next = free_lives;
        lives[i].generation = 1; /* FOREIGN is nobody's */
        free_lives = &lives[i];
    }
    for (int i = 0; i < CHANS; i++) {
        pthread_mutex_init(&chans[i].mutex, NULL);
        pthread_mutex_init(&chans[i].order, NULL);
        for (int k = 0; k < ENDS; k++)
            pthread_rwlock_init(&chans[i].end[k].plain, &attr);
        chans[i].next = free_chans;
        free_chans = &chans[i];
    }
    for (int i = 0; i < CONNS; i++) {
        conns[i].next = free_conns;
        free_conns = &conns[i];
    }
    for (int i = 0; i < PIPE_OBJECTS; i++) {
        pthread_rwlock_init(&pipe_objects[i].lock, NULL);
        retire_pipe(&pipe_objects[i]);
    }
    for (int i = 0; i < SLOTS; i++)
        pthread_rwlock_init(&slots[i].lock, &attr);
    OK(mkdtemp(dir) ? 0 : -1);
    pattern_file = open_file("pattern", true);
}

/* ---- settings ---- */

static void from_environment(const char *name, long *value)
{
    const char *s = getenv(name);

    if (s && *s)
        *value = strtol(s, NULL, 0);
}

static void read_settings(int argc, char **argv)
{
    long n = threads;
    int option;

    seconds = slow() || THREADS == 0 ? 10 : 60;
    from_environment("TORTURE_SECONDS", &seconds);
    from_environment("TORTURE_SEED", &seed);
    from_environment("TORTURE_THREADS", &n);
    from_environment("TORTURE_KINDS", &kind_mask);
    from_environment("TORTURE_ACTIONS", &action_mask);
    optind = 1;
    while ((option = getopt(argc, argv, "t:s:r:k:x:")) != -1) {
        long value = optarg ? strtol(optarg, NULL, 0) : 0;

        switch (option) {
        case 't': n = value; break;
        case 's': seconds = value; break;
        case 'r': seed = value; break;
        case 'k': kind_mask = value; break;
        case 'x': action_mask = value; break;
        default:
            fprintf(stderr, "usage: torture [-t THREADS] [-s SECONDS] [-r SEED] [-k KINDS] [-x ACTIONS]\n");
            _exit(2);
        }
    }
    threads = n < 0 ? 0 : n > THREADS_MAX ? THREADS_MAX : (int)n;
    kind_mask &= (1 << KINDS) - 1;
    if (!kind_mask)
        kind_mask = (1 << KINDS) - 1;
}

/* Before the watchdog is started it has to know how long this may take. */
__attribute__((constructor(101)))
static void allow_time(int argc, char **argv)
{
    char text[32];

    read_settings(argc, argv);
    if (test_timeout() < seconds + 60 + (slow() ? 90 : 0)) {
        snprintf(text, sizeof text, "%ld", seconds + 60 + (slow() ? 90 : 0));
        setenv("TEST_TIMEOUT", text, 1);
    }
}

int main(int argc, char **argv)
{
    struct worker *w = &workers[THREADS_MAX];
    long long begun = now_ns(), end, pause;
    uint64_t random;
    struct rlimit files = { 4096, 4096 };

    read_settings(argc, argv);
    random = (uint64_t)seed * 6364136223846793005ull + 1442695040888963407ull;
    setrlimit(RLIMIT_NOFILE, &files);
    printf("torture: seed %ld, %d threads, %ld s\n", seed, threads, seconds);
    fflush(stdout);
    set_up_pools();
    for (int i = 0; i <= THREADS_MAX; i++)
        workers[i].seed = (uint64_t)next_random(&random) << 32 | next_random(&random) | 1;
    for (int i = 0; i < PIPES; i++)
        pipes[i] = open_pipe(w);
    for (int i = 0; i < SLOTS; i++)
        slots[i].chan = open_chan(w);
    for (int i = 0; i < threads; i++)
        workers[i].thread = start_thread(work, &workers[i]);
    end = begun + seconds * SECOND;
    for (int round = 1; now_ns() < end; round++) {
        for (pause = now_ns() + 900 * MS; now_ns() < pause && now_ns() < end;)
            if (threads > 0) {
                tend();
                breathe();
            } else {
                act_alone(w);
            }
        pause_all(w);
        if (round % 3 == 0 && now_ns() < end) {
            start_over(w, true);
        } else {
            settle(false);
            check_counts();
        }
        tend();
        resume();
    }
    SET(over, 1);
    pause_all(w);
    SET(pausing, 0);
    for (int i = 0; i < threads; i++)
        ZERO(pthread_join(workers[i].thread, NULL));
    start_over(w, false);
    for (int i = 0; i < PIPES; i++)
        GIVES(ioevent_close(pipes[i]->fd), 0);
    OK(rmdir(dir));
    say();
    CHECK(seconds < 2 || action_mask || harvests > 100);
    printf("torture: seed %ld, %d threads: passed after %.1f s\n", seed, threads, (double)(now_ns() - begun) / 1e9);
    return 0;
}
