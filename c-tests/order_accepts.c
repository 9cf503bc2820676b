/* accepts of one descriptor are carried out in the order in which they were queued: rule 2.5. */
#include "test.h"

enum { N = 20 };

int main(void)
{
    struct address a, own[N], from[N];
    int p = OK(ioeventpipe(N)), l = listener(AF_INET, N, &a), c[N];

    for (int i = 0; i < N; i++) {
        ATTACH(l, p, i);
        from[i].length = sizeof from[i].storage;
        QUEUED(ioevent_accept(l, SOCKADDR(&from[i]), &from[i].length));
    }
    for (int i = 0; i < N; i++) {
        c[i] = OK(socket(AF_INET, SOCK_STREAM, 0));
        OK(connect(c[i], SOCKADDR(&a), a.length));
        own[i].length = sizeof own[i].storage;
        OK(getsockname(c[i], SOCKADDR(&own[i]), &own[i].length));
    }
    for (int i = 0; i < N; i++) {
        struct ioevent e = HARVEST(p);

        CHECK(e.ioe_user == USER(i) && e.ioe_result >= 0);
        SAME(from[i].length, own[i].length);
        CHECK(memcmp(&from[i].storage, &own[i].storage, own[i].length) == 0);
    }
    STAYS_QUIET(p);
    return 0;
}
