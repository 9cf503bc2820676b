/* Another library that is preloaded, before ours and after it, and counts. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <unistd.h>

int interposed_calls[4];

ssize_t read(int fd, void *b, size_t n)
{
    interposed_calls[0]++;
    return ((ssize_t (*)(int, void *, size_t))dlsym(RTLD_NEXT, "read"))(fd, b, n);
}

ssize_t write(int fd, const void *b, size_t n)
{
    interposed_calls[1]++;
    return ((ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write"))(fd, b, n);
}

int close(int fd)
{
    interposed_calls[2]++;
    return ((int (*)(int))dlsym(RTLD_NEXT, "close"))(fd);
}

int fcntl(int fd, int command, ...)
{
    va_list arguments;
    void *argument;

    va_start(arguments, command);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    interposed_calls[3]++;
    return ((int (*)(int, int, void *))dlsym(RTLD_NEXT, "fcntl"))(fd, command, argument);
}
