/*
 * A malloc that reads a file when it is first asked, as jemalloc does, and closes it; it has a lock then, which is not
 * recursive: it must not be asked meanwhile.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int allocator_has_read;
static char memory[1 << 24] __attribute__((aligned(64)));
static size_t used;
static int starting, started;

static void start(void)
{
    char text[16];
    int fd;

    if (starting)
        __builtin_trap();
    starting = 1;
    fd = open("/proc/sys/vm/overcommit_memory", O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read(fd, text, sizeof text) > 0 && close(fd) == 0 && read(fd, text, 1) == -1)
        allocator_has_read = 1;
    started = 1;
    starting = 0;
}

static void *allocate(size_t size)
{
    char *p;

    if (!started)
        start();
    p = memory + __atomic_fetch_add(&used, (size + 31) / 16 * 16, __ATOMIC_SEQ_CST);
    if (p + size + 16 > memory + sizeof memory)
        return NULL;
    *(size_t *)p = size;
    return p + 16;
}

void *malloc(size_t size)
{
    return allocate(size);
}

void free(void *p)
{
    (void)p;
}

void *calloc(size_t n, size_t size)
{
    return allocate(n * size);
}

void *realloc(void *p, size_t size)
{
    void *new = allocate(size);

    if (p && new)
        memcpy(new, p, size < ((size_t *)p)[-2] ? size : ((size_t *)p)[-2]);
    return new;
}
