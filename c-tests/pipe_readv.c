/* readv and writev work on a pipe as read and write do: whole structs over the iovecs: rule 3.2, rule 3.5. */
#include "test.h"

int main(void)
{
    int p = OK(ioeventpipe(8));
    struct ioevent post[3] = { { USER(1), 10, 0 }, { USER(2), 20, 5 }, { USER(3), -1, 7 } }, got[3];
    struct iovec out[2] = { { post, sizeof *post }, { post + 1, 2 * sizeof *post } };
    struct iovec in[2] = { { got, 2 * sizeof *got }, { got + 2, sizeof *got } };

    GIVES(ioevent_writev(p, out, 2), sizeof post);
    GIVES(ioevent_readv(p, in, 2), sizeof got);
    CHECK(memcmp(post, got, sizeof got) == 0);
    QUIET(p);
    return 0;
}
