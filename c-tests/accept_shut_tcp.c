/* accept on a TCP listener that is shut down gives EINVAL as the blocking call does: rule 2.4. */
#include "test.h"

static int p;

static void run(int family, int how, bool is_inline)
{
    struct address a;
    int l = listener(family, 8, &a), twin;

    if (l == -1)
        return;
    twin = listener(family, 8, &a);
    OK(shutdown(twin, how));
    FAILS(accept(twin, NULL, NULL), EINVAL);
    OK(close(twin));

    ATTACH(l, p, 1);
    if (is_inline)
        GIVES(ioevent_fcntl(l, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    QUEUED(ioevent_accept(l, NULL, NULL));
    QUEUED(ioevent_accept4(l, NULL, NULL, SOCK_CLOEXEC));
    STAYS_QUIET(p);
    OK(shutdown(l, how));
    EXPECT(p, 1, -1, EINVAL);
    EXPECT(p, 1, -1, EINVAL);
    EITHER(ioevent_accept(l, NULL, NULL), p, 1, EINVAL);
    DETACH(l);
    ATTACH(l, p, 2);
    EITHER(ioevent_accept(l, NULL, NULL), p, 2, EINVAL);
    GIVES(ioevent_submit(&(struct ioevent_op){ .ioo_kind = IOEVENT_OP_ACCEPT, .ioo_fd = l, .ioo_user = USER(3) }, 1),
          1);
    EXPECT(p, 3, -1, EINVAL);
    GIVES(ioevent_close(l), 0);
}

int main(void)
{
    p = OK(ioeventpipe(8));
    for (int is_inline = 0; is_inline < 2; is_inline++) {
        run(AF_INET, SHUT_RD, is_inline);
        run(AF_INET, SHUT_RDWR, is_inline);
        run(AF_INET6, SHUT_RDWR, is_inline);
    }
    return 0;
}
