/* Loaded by dlopen the names are not the program's, and say so; closed, it stays, as libraries may have kept a pointer. */
#include "check.h"

#include <dlfcn.h>

int main(void)
{
    const char *library = getenv("POSIX_LIBRARY");
    void *first = dlsym(RTLD_DEFAULT, "read"), *handle;
    int (*active)(void);
    ssize_t (*its_read)(int, void *, size_t);
    char c;

    if (!library || dlsym(RTLD_DEFAULT, "ioevent_posix_active"))
        return 0;
    handle = dlopen(library, RTLD_NOW);
    CHECK(handle);
    active = (int (*)(void))dlsym(handle, "ioevent_posix_active");
    its_read = (ssize_t (*)(int, void *, size_t))dlsym(handle, "read");
    CHECK(active && its_read);
    GIVES(active(), 0);
    CHECK(dlsym(RTLD_DEFAULT, "read") == first && (void *)its_read != first);
    CHECK(io_works());
    GIVES(dlclose(handle), 0);
    FAILS(its_read(-1, &c, 1), EBADF);
    GIVES(its_read(OK(open("/dev/zero", O_RDONLY)), &c, 1), 1);
    return 0;
}
