/* Calls from an IFUNC resolver of another library, from .preinit_array, and from constructors of others. */
#include "check.h"

int early_chosen(void);
int early_resolver_works(void);
int early_constructor_works(void);

static int preinit_works, constructor_works;

static void preinit(void)
{
    preinit_works = io_works();
    errno = 0;
    if (close(-1) != -1 || errno != EBADF)
        preinit_works = 0;
}
__attribute__((section(".preinit_array"), used)) static void (*const at_preinit)(void) = preinit;

__attribute__((constructor(101)))
static void construct(void)
{
    constructor_works = io_works();
}

int main(void)
{
    CHECK(preinit_works);
    CHECK(constructor_works);
    CHECK(early_constructor_works());
    GIVES(early_chosen(), 5);
    CHECK(early_resolver_works());
    CHECK(io_works());
    return 0;
}
