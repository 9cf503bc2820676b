/*
 * A hundred thousand timers, each with a pointer of its own, are cancelled one by one by that pointer, from the front,
 * from the back and from the middle: each counts 1, and none costs a walk through all others (with one, this test does
 * not end in time): rules 2.12, 4.7.
 */
#include "test.h"

int main(void)
{
    int n = on_valgrind() ? 2000 : 100000;
    int p = OK(ioeventpipe(n));
    static struct ioevent e[512];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < n; i++) {
            struct ioevent_op op = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_user = USER(i + 1),
                                     .ioo_timeout = { 3600 + i, 0 } };

            GIVES(ioevent_submit(&op, 1), 1);
        }
        for (int k = 0, left = n; left > 0; k++) {
            /* 0, 1, 2, ...; n - 1, n - 2, ...; all over the place */
            int i = round == 0 ? k : round == 1 ? n - 1 - k : (int)((long long)k * 77773 % n);

            GIVES(ioevent_cancel2(p, IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(i + 1)), 1);
            left--;
            if (k % 512 == 511 || left == 0) {
                int want = left == 0 && n % 512 ? n % 512 : 512;

                GIVES(ioevent_wait(p, e, 512, &no_wait), want);
                for (int j = 0; j < want; j++)
                    SAME(e[j].ioe_errno, ECANCELED);
            }
        }
        SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
    }
    STAYS_QUIET(p);
    return 0;
}
