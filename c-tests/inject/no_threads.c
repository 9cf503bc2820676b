/* Preloaded, it lets libioevent start no thread: EAGAIN, as when a limit is reached. The program's own start. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *argument)
{
    static int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    Dl_info caller;

    if (dladdr(__builtin_return_address(0), &caller) != 0 && strstr(caller.dli_fname, "libioevent") != NULL)
        return EAGAIN;
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "pthread_create");
    return next(thread, attributes, function, argument);
}
