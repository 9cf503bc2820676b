/*
 * Preloaded, it has allocations fail that the library itself makes: FAIL_AT=n the n-th only, FAIL_FROM=n all from the
 * n-th on. COUNT=file: writes there how many there were. Those of a forked child count on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* glibc's, under names that nobody takes the place of. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static uintptr_t text[2];
static long count, fail_at, fail_from;
static pid_t counter;

static int find_text(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    if (!strstr(info->dlpi_name, "libioevent.so"))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X)) {
            text[0] = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            text[1] = text[0] + info->dlpi_phdr[i].p_memsz;
        }
    return 1;
}

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("FAIL_AT"), *from = getenv("FAIL_FROM");

    fail_at = at ? atol(at) : 0;
    fail_from = from ? atol(from) : 0;
    counter = getpid();
    dl_iterate_phdr(find_text, NULL);
}

__attribute__((destructor)) static void end(void)
{
    const char *name = getenv("COUNT");
    int fd;

    if (!name || getpid() != counter || !text[0] || (fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600)) < 0)
        return;
    dprintf(fd, "%ld\n", count);
    close(fd);
}

static bool fails(void *caller)
{
    uintptr_t at = (uintptr_t)caller;
    long n;

    if (at < text[0] || at >= text[1])
        return false;
    n = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    return (fail_at != 0 && n == fail_at) || (fail_from != 0 && n >= fail_from);
}

#define FAILS fails(__builtin_return_address(0))

static void *none(void)
{
    errno = ENOMEM;
    return NULL;
}

void *malloc(size_t size)
{
    return FAILS ? none() : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return FAILS ? none() : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    return FAILS ? none() : __libc_realloc(old, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    return FAILS ? none() : __libc_memalign(align, size);
}

int posix_memalign(void **result, size_t align, size_t size)
{
    if (FAILS)
        return ENOMEM;
    *result = __libc_memalign(align, size);
    return *result ? 0 : ENOMEM;
}
