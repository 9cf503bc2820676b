/* Beside an allocator that reads and closes a file while it starts. */
#include "check.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static void *volatile first;

/* Before all constructors. */
static void preinit(void)
{
    first = malloc(1);
}
__attribute__((section(".preinit_array"), used)) static void (*const at_preinit)(void) = preinit;

static void *work(void *unused)
{
    CHECK(io_works());
    return unused;
}

int main(void)
{
    int *has_read = dlsym(RTLD_DEFAULT, "allocator_has_read");
    FILE *file;
    char line[100];

    CHECK(first && has_read && *has_read);
    CHECK(io_works());
    for (int i = 0; i < 4; i++) {
        pthread_t t;

        GIVES(pthread_create(&t, NULL, work, NULL), 0);
        GIVES(pthread_join(t, NULL), 0);
    }
    file = fopen("/proc/self/status", "r");
    CHECK(file && fgets(line, sizeof line, file));
    fclose(file);
    return 0;
}
