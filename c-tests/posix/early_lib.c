/* A library that calls while it is relocated, and from its constructor. */
#include "check.h"

static int resolver_works, constructor_works;

static int nothing(void)
{
    return 5;
}

static int (*resolve(void))(void)
{
    resolver_works = io_works();
    return nothing;
}

static int chosen(void) __attribute__((ifunc("resolve")));

int early_chosen(void);
int early_chosen(void)
{
    return chosen();
}

int early_resolver_works(void);
int early_resolver_works(void)
{
    return resolver_works;
}

int early_constructor_works(void);
int early_constructor_works(void)
{
    return constructor_works;
}

__attribute__((constructor))
static void construct(void)
{
    constructor_works = io_works();
    errno = 0;
    if (close(-1) != -1 || errno != EBADF)
        constructor_works = 0;
}
