/*
 * ioo_addrlen is read when the operation is queued, and written when it is complete, with the length that the whole
 * address has: rule 2.9. Two operations that share it see what it was when they were queued.
 */
#include "test.h"

/* The operation of this kind is taken; more fields may follow. */
#define SUBMIT(kind, fd, user, ...)                                             \
    GIVES(ioevent_submit(&(struct ioevent_op){ .ioo_kind = IOEVENT_OP_##kind, .ioo_fd = fd, .ioo_user = USER(user), \
                                               ##__VA_ARGS__ }, 1), 1)

static int p;
static struct sockaddr_un address[2];

static void run(int type)
{
    struct address a, name;
    int l = type == SOCK_STREAM ? listener(AF_UNIX, 4, &a) : bound_socket(AF_UNIX, type, &a);
    socklen_t length = sizeof address[0], unnamed = type == SOCK_STREAM ? sizeof(sa_family_t) : 0;
    char b[8];

    ATTACH(l, p, 99);
    for (int i = 0; i < 2; i++) {
        memset(&address[i], 0x77, sizeof address[i]);
        if (type == SOCK_STREAM)
            SUBMIT(ACCEPT, l, i, .ioo_addr = (struct sockaddr *)&address[i], .ioo_addrlen = &length);
        else
            SUBMIT(RECVFROM, l, i, .ioo_buf = b, .ioo_len = 8, .ioo_addr = (struct sockaddr *)&address[i],
                   .ioo_addrlen = &length);
    }
    STAYS_QUIET(p);
    SAME(length, sizeof address[0]); /* not written before */
    for (int i = 0; i < 2; i++) { /* the first peer has no name, the second one has one */
        int s = i == 0 ? OK(socket(AF_UNIX, type, 0)) : bound_socket(AF_UNIX, type, &name);
        struct ioevent e;

        OK(connect(s, SOCKADDR(&a), a.length));
        if (type == SOCK_DGRAM)
            OK(write(s, "x", 1));
        e = HARVEST(p);
        SAME((uintptr_t)e.ioe_user, i);
        SAME(e.ioe_errno, 0);
        SAME(length, i == 0 ? unnamed : name.length);
        OK(close(s));
    }
    CHECK(memcmp(&address[1], &name.storage, name.length) == 0);
    CHECK(is_all((char *)&address[1] + name.length, 0x77, sizeof address[1] - name.length));
    GIVES(ioevent_close(l), 0);
}

/* A buffer that is too short for the address: cut, and the length is the whole one. */
static void cut(void)
{
    struct address a, name;
    int r = bound_socket(AF_INET, SOCK_DGRAM, &a), s = bound_socket(AF_INET, SOCK_DGRAM, &name);
    socklen_t length = 4;
    unsigned char from[16];
    char b[8];

    memset(from, 0x77, sizeof from);
    ATTACH(r, p, 97);
    SUBMIT(RECVFROM, r, 1, .ioo_buf = b, .ioo_len = 8, .ioo_addr = (struct sockaddr *)from, .ioo_addrlen = &length);
    GIVES(sendto(s, "abc", 3, 0, SOCKADDR(&a), a.length), 3);
    EXPECT(p, 1, 3, 0);
    SAME(length, name.length);
    CHECK(memcmp(from, &name.storage, 4) == 0 && is_all(from + 4, 0x77, 12));
}

int main(void)
{
    p = OK(ioeventpipe(8));
    run(SOCK_STREAM);
    run(SOCK_DGRAM);
    cut();
    STAYS_QUIET(p);
    return 0;
}
