/* A program that looks libc's functions up by name gets some that work. */
#include "check.h"

#include <dlfcn.h>

typedef ssize_t reader(int, void *, size_t);

static void reads(void *function, int p[2])
{
    char c = 0;

    CHECK(function);
    GIVES(write(p[1], "x", 1), 1);
    GIVES(((reader *)function)(p[0], &c, 1), 1);
    GIVES(c, 'x');
    FAILS(((reader *)function)(-1, &c, 1), EBADF);
}

int main(void)
{
    int p[2];
    void *libc = dlopen("libc.so.6", RTLD_LAZY);

    GIVES(pipe(p), 0);
    reads(dlsym(RTLD_DEFAULT, "read"), p);
    reads(dlsym(RTLD_NEXT, "read"), p);
    reads(dlsym(NULL, "__read"), p);
    reads(dlsym(libc, "read"), p);
    CHECK(dlsym(RTLD_DEFAULT, "read") == dlsym(NULL, "read"));
#ifdef __x86_64__
    reads(dlvsym(RTLD_DEFAULT, "read", "GLIBC_2.2.5"), p);
    reads(dlvsym(RTLD_NEXT, "read", "GLIBC_2.2.5"), p);
#endif
    CHECK((void *)read == dlsym(RTLD_DEFAULT, "read"));
    /* No message is left of what was looked for at start. */
    CHECK(!dlerror());
    return 0;
}
