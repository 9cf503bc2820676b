/*
 * The cast of the torture: kinds of descriptors, operations, attachments, pipes, threads; what is counted; and how it
 * ends when something is wrong.
 */
#ifndef TORTURE_CAST_H
#define TORTURE_CAST_H

#include "../test.h"

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
static int pattern_file, threads, over, pausing;
static long seconds, seed = 1997, kind_mask = -1, action_mask;

static long queued[WHATS], events[WHATS], gone[WHATS], directs[WHATS];
static long canceled, timed_out, fulls, parts, bytes_verified, messages_verified, accepted, harvests, resizes;
static long chans_closed, live_chans, pipes_closed, attachments, deaths;

#define LOCK(m)   ZERO(pthread_mutex_lock(m))
#define UNLOCK(m) ZERO(pthread_mutex_unlock(m))

static uint32_t below(struct worker *w, uint32_t n) { return next_random(&w->seed) % n; }
static bool chance(struct worker *w, uint32_t n) { return below(w, n) == 0; }

/* One of a list. */
#define ONE_OF(list, n) ((list)[below(w, (uint32_t)(n))])
#define LENGTH(list) (sizeof(list) / sizeof *(list))

static bool is_write(int what)
{
    return what == IOEVENT_OP_WRITE || what == IOEVENT_OP_WRITEV || what == IOEVENT_OP_SEND ||
           what == IOEVENT_OP_SENDTO || what == IOEVENT_OP_SENDMSG;
}

static bool moves_pages(int what) { return what == IOEVENT_OP_SPLICE || what == IOEVENT_OP_SENDFILE; }
static bool is_fsync(int what) { return what == IOEVENT_OP_FSYNC || what == IOEVENT_OP_FDATASYNC; }

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

#endif
