/* accept and connect can be cancelled; no connection is lost by it: rule 4.7, rule 2.2. */
#include "test.h"

int main(void)
{
    struct address a;
    int p = OK(ioeventpipe(8)), l = listener(AF_INET, 8, &a), c, n, accepted = 0;

    ATTACH(l, p, 1);
    QUEUED(ioevent_accept(l, NULL, NULL));
    QUEUED(ioevent_accept(l, NULL, NULL));
    QUIET(p);
    GIVES(ioevent_cancel(l), 2);
    EXPECT(p, 1, -1, ECANCELED);
    EXPECT(p, 1, -1, ECANCELED);
    for (int i = 0; i < 200; i++) { /* against the connection */
        QUEUED(ioevent_accept(l, NULL, NULL));
        c = OK(socket(AF_INET, SOCK_STREAM, 0));
        OK(connect(c, SOCKADDR(&a), a.length));
        n = OK(ioevent_cancel(l));
        {
            struct ioevent e = HARVEST(p);

            SAME(e.ioe_result == -1, n == 1);
            if (e.ioe_result == -1) {
                SAME(e.ioe_errno, ECANCELED);
                QUEUED(ioevent_accept(l, NULL, NULL));
                e = HARVEST(p);
            }
            SAME(e.ioe_errno, 0);
            accepted++;
            OK(close(e.ioe_result));
        }
        OK(close(c));
    }
    SAME(accepted, 200);
    STAYS_QUIET(p);
    return 0;
}
