/*
 * A file whose file system is a process of the test, which answers when the test wants it to: a mount of one regular
 * file by FUSE, in a mount namespace of the test's own. Needs root.
 */
#ifndef TEST_FUSE_H
#define TEST_FUSE_H

#include "test_mounts.h"
#include <linux/fuse.h>

enum { FUSE_SIZE = 1 << 20 };

/* What the test and the server share. */
struct fuse_control {
    uint64_t hold;      /* the kinds of requests (bits of opcodes) that wait */
    int let_go;         /* none waits any more, whatever is said above */
    int waiting;        /* how many do */
    int asked[64];      /* how many of each kind have come */
};

static struct fuse_control *fuse_control;
static pid_t fuse_server;

#define FUSE_PATH MOUNT_POINT "/file"

#define FUSE_BIT(opcode) (1ull << (opcode))

struct fuse_request {
    struct fuse_in_header head;
    char rest[(1 << 17) + 4096 - sizeof(struct fuse_in_header)];
};

static inline void fuse_answer(int dev, uint64_t unique, int error, const void *data, size_t n)
{
    struct fuse_out_header head = { (uint32_t)(sizeof head + n), error, unique };
    struct iovec iov[2] = { { &head, sizeof head }, { (void *)(uintptr_t)data, n } };

    if (writev(dev, iov, error || !n ? 1 : 2) == -1 && errno != ENOENT)
        _exit(1);
}

static inline void fuse_serve_one(int dev, const struct fuse_request *r, bool fresh_attributes)
{
    static char zeros[1 << 17];
    uint64_t unique = r->head.unique;
    const struct fuse_read_in *in = (const void *)r->rest;
    struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION, .minor = 31, .max_readahead = 4096,
                                  .max_write = 4096 * 16, .max_background = 32, .congestion_threshold = 30 };
    struct fuse_attr_out attr = { .attr_valid = fresh_attributes ? 0 : 10000 };
    struct fuse_open_out open_out = { .fh = 1, .open_flags = FOPEN_DIRECT_IO };
    struct fuse_write_out written = { .size = in->size };

    attr.attr = (struct fuse_attr){ .ino = 1, .size = FUSE_SIZE, .mode = S_IFREG | 0600, .nlink = 1, .blksize = 4096 };
    switch (r->head.opcode) {
    case FUSE_INIT: fuse_answer(dev, unique, 0, &init, sizeof init); break;
    case FUSE_GETATTR:
    case FUSE_SETATTR: fuse_answer(dev, unique, 0, &attr, sizeof attr); break;
    case FUSE_OPEN: fuse_answer(dev, unique, 0, &open_out, sizeof open_out); break;
    case FUSE_READ: {
        size_t n = in->offset >= FUSE_SIZE ? 0 : FUSE_SIZE - in->offset;

        n = n < in->size ? n : in->size;
        fuse_answer(dev, unique, 0, zeros, n);
        break;
    }
    case FUSE_WRITE: fuse_answer(dev, unique, 0, &written, sizeof written); break;
    case FUSE_FSYNC: fuse_answer(dev, unique, 0, NULL, 0); break;
    case FUSE_RELEASE: fuse_answer(dev, unique, 0, NULL, 0); break;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT: break;
    default: fuse_answer(dev, unique, -ENOSYS, NULL, 0); /* FLUSH and POLL too: then they are not asked any more */
    }
}

static inline void fuse_serve(int dev, bool fresh_attributes)
{
    enum { WAITING = 32 };
    static struct fuse_request now, waiting[WAITING];
    int n = 0;

    alarm((unsigned)test_timeout()); /* whatever happens to the test, no process waits for ever in the kernel */
    for (;;) {
        struct pollfd ready = { .fd = dev, .events = POLLIN };
        uint64_t hold;

        poll(&ready, 1, 1);
        hold = GET(fuse_control->let_go) ? 0 : GET(fuse_control->hold);
        for (int i = 0; i < n;)
            if (hold & FUSE_BIT(waiting[i].head.opcode)) {
                i++;
            } else {
                fuse_serve_one(dev, &waiting[i], fresh_attributes);
                waiting[i] = waiting[--n];
            }
        if (ready.revents & POLLIN) {
            if (read(dev, &now, sizeof now) <= 0) {
                if (errno == ENODEV)
                    _exit(0);
                continue;
            }
            ADD(fuse_control->asked[now.head.opcode & 63], 1);
            if (now.head.opcode != FUSE_INTERRUPT && now.head.opcode < 64 && hold & FUSE_BIT(now.head.opcode) &&
                n < WAITING)
                waiting[n++] = now;
            else
                fuse_serve_one(dev, &now, fresh_attributes);
        }
        SET(fuse_control->waiting, n);
    }
}

static inline void fuse_end(void)
{
    if (getpid() != test_pid)
        return;
    kill(fuse_server, SIGKILL);
}

/* Mounts the file; its path. Before any call of the library: the server is a forked child. */
static inline const char *fuse_mount(bool fresh_attributes)
{
    int dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    char options[100];

    if (dev == -1 || !own_mounts())
        SKIP("no FUSE, or not root");
    fuse_control = mmap(NULL, sizeof *fuse_control, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(fuse_control != MAP_FAILED);
    if (mount("t", MOUNT_POINT, "tmpfs", 0, NULL) == -1)
        SKIP("nothing can be mounted");
    OK(close(OK(open(FUSE_PATH, O_CREAT | O_WRONLY | O_CLOEXEC, 0600))));
    snprintf(options, sizeof options, "fd=%d,rootmode=100000,user_id=0,group_id=0", dev);
    if (mount("test", FUSE_PATH, "fuse", 0, options) == -1)
        SKIP("no FUSE");
    if (child(&fuse_server))
        fuse_serve(dev, fresh_attributes);
    OK(close(dev)); /* so that the end of the server is the end of every request */
    atexit(fuse_end);
    return FUSE_PATH;
}

/* So many requests wait in the server. */
#define FUSE_WAITING(n) UNTIL(GET(fuse_control->waiting) >= (n))

#endif
