/* Descriptors in accept events that were not read are closed with the pipe: rule 3.7. */
#include "test.h"

static void once(void)
{
    struct address a;
    int p = OK(ioeventpipe(8)), l = listener(AF_INET, 8, &a), c[4];
    struct ioevent e;

    ATTACH(l, p, 1);
    for (int i = 0; i < 4; i++)
        QUEUED(ioevent_accept4(l, NULL, NULL, SOCK_CLOEXEC));
    for (int i = 0; i < 4; i++) {
        c[i] = OK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        OK(connect(c[i], SOCKADDR(&a), a.length));
    }
    e = HARVEST(p); /* the others are ready as well, and stay unread */
    CHECK(e.ioe_result >= 0);
    GIVES(ioevent_close(p), 0);
    OK(close(l));
    /* the one that was read is ours, the others are gone, wherever they were */
    for (int i = 0; i < 4; i++) {
        struct pollfd f = { .fd = c[i], .events = POLLIN };

        if (i > 0) {
            GIVES(poll(&f, 1, -1), 1);
            CHECK(read(c[i], &e, 1) <= 0);
        } else {
            GIVES(poll(&f, 1, 20), 0);
        }
        OK(close(c[i]));
    }
}

int main(void)
{
    int before;

    once();
    before = count_fds();
    for (int i = 0; i < 20; i++)
        once();
    SAME(count_fds(), before + 20); /* the ones that were read */
    return 0;
}
