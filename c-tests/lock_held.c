/*
 * While a thread of the library is in the kernel with an operation on a locked file, the program detaches the file,
 * ends it in other ways, attaches it to another pipe or closes the pipe; it keeps its fcntl(2) locks all the while,
 * and when the operation is done: rule 5.5, rule 4.8.
 */
#include "test_held.h"
#include "test_lock.h"

enum { NOTHING, CANCEL, TIMEOUT, DETACHED, MOVED, PIPE_CLOSED, HOWS };
enum { PREAD, PWRITE, READ, WRITE, KINDS };

static int closed_pipe;

static void *close_pipe(void *p)
{
    GIVES(ioevent_close(*(int *)p), 0);
    SET(closed_pipe, 1);
    return NULL;
}

static int run(int how, int kind)
{
    bool writes = kind == PWRITE || kind == WRITE, held = false;
    int p = OK(ioeventpipe(8)), q = OK(ioeventpipe(8)), fd = held_file(3 * HELD_PAGE, writes);
    struct timespec soon = { 0, 300000000 }; /* not before the operation has come to its page */
    long long begin;
    char *page = held_page();
    pthread_t t;

    lock_part(fd, F_WRLCK);
    ATTACH(fd, p, 1);
    if (how == TIMEOUT)
        GIVES(ioevent_fcntl(fd, F_SETIOEVENTTIMEO, &soon), 0);
    begin = now_ns();
    switch (kind) {
    case PREAD: held = IS_HELD(ioevent_pread(fd, page, HELD_PAGE, HELD_PAGE)); break;
    case PWRITE: held = IS_HELD(ioevent_pwrite(fd, page, HELD_PAGE, HELD_PAGE)); break;
    case READ: held = IS_HELD(ioevent_read(fd, page, HELD_PAGE)); break;
    default: held = IS_HELD(ioevent_write(fd, page, HELD_PAGE)); break;
    }
    STAYS_LOCKED(fd);
    if (held) {
        switch (how) {
        case CANCEL: GIVES(ioevent_cancel(fd), 0); break;
        case TIMEOUT: UNTIL(now_ns() > begin + soon.tv_nsec + 20000000); break;
        case DETACHED: DETACH(fd); break;
        case MOVED: ATTACH(fd, q, 2); break;
        case PIPE_CLOSED: t = start_thread(close_pipe, &p); break;
        default: break;
        }
        STAYS_LOCKED(fd);
        RELEASE();
    } else if (how == PIPE_CLOSED) {
        t = start_thread(close_pipe, &p);
    }
    if (how == PIPE_CLOSED) {
        ZERO(pthread_join(t, NULL));
        SAME(GET(closed_pipe), 1);
    } else {
        EXPECT(p, 1, HELD_PAGE, 0);
    }
    STAYS_LOCKED(fd);
    if (how == MOVED) {
        QUEUED(ioevent_fsync(fd));
        EXPECT(q, 2, 0, 0);
        STAYS_LOCKED(fd);
    }
    if (how != PIPE_CLOSED)
        GIVES(ioevent_close(p), 0);
    GIVES(ioevent_close(q), 0);
    STAYS_LOCKED(fd);
    OK(close(fd));
    return held;
}

int main(void)
{
    int held = 0;

    for (int how = 0; how < HOWS; how++)
        for (int kind = 0; kind < KINDS; kind++)
            held += run(how, kind);
    if (!held)
        SKIP("the calling thread does the I/O by itself here");
    return 0;
}
