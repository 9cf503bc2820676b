/*
 * To be preloaded: getaddrinfo of slow.invalid waits until the file exists that SLOW_UNTIL names, and finds nothing
 * then. All other names are looked up as ever.
 */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    if (node && strcmp(node, "slow.invalid") == 0) {
        while (access(getenv("SLOW_UNTIL"), F_OK) == -1)
            usleep(10000);
        return EAI_NONAME;
    }
    *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
    return next(node, service, hints, found);
}
