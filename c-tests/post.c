/*
 * Writing whole structs to a pipe posts them: each is harvested like any other event. Full: those that fit are posted;
 * none fit: EIOEVENTFULL: rule 3.5.
 */
#include "test.h"

enum { S = sizeof(struct ioevent) };

int main(void)
{
    int p = OK(ioeventpipe(5));
    struct ioevent out[8], in[8];
    ssize_t n;

    for (int i = 0; i < 8; i++)
        out[i] = (struct ioevent){ USER(UINTPTR_MAX - (uintptr_t)i), i % 2 ? INT_MIN + i : INT_MAX - i, -i };
    GIVES(ioevent_write(p, out, 3 * S), 3 * S);
    GIVES(ioevent_write(p, out + 3, 5 * S), 2 * S); /* two fit */
    FAILS(ioevent_write(p, out + 5, 3 * S), EIOEVENTFULL);
    FAILS(ioevent_write(p, out + 5, S), EIOEVENTFULL);
    GIVES(ioevent_wait(p, in, 8, &no_wait), 5);
    CHECK(memcmp(in, out, 5 * S) == 0);
    QUIET(p);
    GIVES(ioevent_write(p, out, 8 * S), 5 * S);
    GIVES(ioevent_read(p, in, 2 * S), 2 * S);
    GIVES(ioevent_write(p, out + 5, 3 * S), 2 * S);
    GIVES(ioevent_wait(p, in + 2, 6, NULL), 5);
    CHECK(memcmp(in, out, 7 * S) == 0);

    /* less than a struct is none; a part at the end is not posted */
    for (size_t part = 1; part < S; part++) {
        FAILS(ioevent_write(p, out, part), EINVAL);
        errno = 0;
        n = ioevent_write(p, out, S + part);
        CHECK((n == -1 && errno == EINVAL) || n == S);
        if (n == S)
            EXPECT(p, out[0].ioe_user, out[0].ioe_result, out[0].ioe_errno);
        QUIET(p);
    }
    return 0;
}
