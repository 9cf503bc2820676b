/* owner LIBRARY NAME...: each of these functions is that library's in this process, by symbol and by name. */
#include "check.h"

#include <dlfcn.h>
#include <stdio.h>

static void is_of(const char *library, const char *name, void *function)
{
    Dl_info info;

    if (!function || !dladdr(function, &info) || !strstr(info.dli_fname, library)) {
        dprintf(2, "%s is %s's\n", name, function ? info.dli_fname : "nobody");
        _exit(1);
    }
}

int main(int argc, char **argv)
{
    ssize_t (*volatile by_symbol)(int, void *, size_t) = read;

    if (argc < 2)
        return 0;
    is_of(argv[1], "read, as the program has it", (void *)by_symbol);
    for (int i = 2; i < argc; i++)
        is_of(argv[1], argv[i], dlsym(RTLD_DEFAULT, argv[i]));
    return 0;
}
