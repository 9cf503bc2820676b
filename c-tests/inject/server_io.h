/*
 * What the parts of the server share: what fails because of the refusal, and operations whose events one of two threads
 * harvests.
 */
#ifndef SERVER_IO_H
#define SERVER_IO_H

#include "../test.h"

enum { BIG = 600000 };

static int p, refusal;
static char failing[1024];

static bool is_refusal(int err)
{
    const char *call = getenv("DENY");

    /* epoll_ctl has a meaning of its own for EPERM; without mmap there is no memory */
    return refusal != 0
           && (err == refusal || err == ENOSYS || (err == ENOMEM && call && strcmp(call, "mmap") == 0));
}

/* A part does not work, for a reason that is the refusal. */
static void fails(const char *part, int err)
{
    char text[64];

    if (!is_refusal(err)) {
        dprintf(2, "%s: errno %d (%s) where the refusal was %d\n", part, err, ioevent_strerror(err), refusal);
        _exit(1);
    }
    snprintf(text, sizeof text, " %s", part);
    if (!strstr(failing, text))
        strncat(failing, text, sizeof failing - strlen(failing) - 1);
}

struct io {
    void (*on)(struct io *, int result, int err);
    bool done;
    int result, err;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int stopping;

static void *harvest(void *unused)
{
    struct ioevent events[8];
    int n;

    while ((n = ioevent_wait(p, events, 8, NULL)) > 0) {
        int stops = 0;

        for (int i = 0; i < n; i++) {
            struct io *io = events[i].ioe_user;

            if (!io) {
                /* one is for each of the threads */
                if (stops++ > 0)
                    ioevent_write(p, &events[i], sizeof events[i]);
                continue;
            }
            if (io->on) {
                io->on(io, events[i].ioe_result, events[i].ioe_errno);
                continue;
            }
            pthread_mutex_lock(&lock);
            io->result = events[i].ioe_result;
            io->err = events[i].ioe_errno;
            io->done = true;
            pthread_cond_broadcast(&changed);
            pthread_mutex_unlock(&lock);
        }
        if (stops > 0)
            return NULL;
    }
    if (!__atomic_load_n(&stopping, __ATOMIC_SEQ_CST))
        fails("harvest", errno);
    return unused;
}

static void wait_for_event(const char *part, struct io *io)
{
    struct timespec end;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 8;
    pthread_mutex_lock(&lock);
    while (!io->done)
        if (pthread_cond_timedwait(&changed, &lock, &end) != 0) {
            dprintf(2, "%s: no event\n", part);
            _exit(1);
        }
    pthread_mutex_unlock(&lock);
    io->done = false;
}

/* The same. True if the operation worked, or failed for a reason of its own. */
static bool wait_for(const char *part, struct io *io)
{
    wait_for_event(part, io);
    if (io->result >= 0 || !is_refusal(io->err))
        return true;
    fails(part, io->err);
    return false;
}

/* The call has been queued, or failed because of the refusal. */
static bool queued(const char *part, ssize_t r)
{
    if (r == -1 && errno == EIOEVENTQUEUED)
        return true;
    CHECK(r == -1);
    fails(part, errno);
    return false;
}

#define RUN(part, io, call) (queued(part, call) && wait_for(part, io))

static bool attached(const char *part, int fd, struct io *io)
{
    if (ioevent_fcntl(fd, F_SETIOEVENTPIPE, p, (void *)io) == 0)
        return true;
    fails(part, errno);
    return false;
}

static void fill(char *buffer, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        buffer[i] = (char)(seed + i * 31 + i / 251);
}

#endif
