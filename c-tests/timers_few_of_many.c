/*
 * Some of very many timers are cancelled by their user pointer: these and no others, in the order of their times:
 * rule 2.12.
 */
#include "test.h"

enum { MANY = 4000, FEW = 40 };

static void timer(int p, int user, long seconds)
{
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_user = USER(user),
                             .ioo_timeout = { seconds, 0 } };

    GIVES(ioevent_submit(&op, 1), 1);
}

int main(void)
{
    int p = OK(ioeventpipe(MANY + 2 * FEW)), twice = FEW - 1;

    for (int i = 0; i < MANY; i++) {
        timer(p, 1, 3600 + i * 7919 % MANY);
        if (i % (MANY / FEW) == 0)
            timer(p, 2, 4000 + i * 31 % MANY);
    }
    for (int i = 0; i < 2; i++) {
        GIVES(ioevent_cancel2(p, IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(2)), i == 0 ? FEW : twice);
        for (int k = 0; k < (i == 0 ? FEW : twice); k++)
            EXPECT(p, 2, -1, ECANCELED);
        QUIET(p);
        for (int k = 0; k < twice && i == 0; k++)
            timer(p, 2, 3599 + k);
    }
    GIVES(ioevent_cancel2(p, IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(3)), 0);
    GIVES(ioevent_cancel2(p, IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(1)), MANY);
    return 0;
}
