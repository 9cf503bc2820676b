/* Another preloaded library sees each call once, whether it comes before ours or after. */
#include "check.h"

#include <dlfcn.h>

#undef fcntl
int fcntl(int, int, ...);

int main(void)
{
    int *calls = dlsym(RTLD_DEFAULT, "interposed_calls"), before[4], p[2];
    int (*plain_fcntl)(int, int, ...) = dlsym(RTLD_DEFAULT, "fcntl");
    char c;

    CHECK(calls);
    GIVES(pipe(p), 0);
    memcpy(before, calls, sizeof before);
    GIVES(write(p[1], "x", 1), 1);
    GIVES(read(p[0], &c, 1), 1);
    GIVES(plain_fcntl(p[0], F_GETFL), O_RDONLY);
    GIVES(close(p[0]), 0);
    for (int i = 0; i < 4; i++)
        GIVES(calls[i] - before[i], 1);
    return 0;
}
