/*
 * A stream with many urgent bytes in it, some of them read and some not, which changes its pipe now and then: every
 * ordinary byte comes once and in order, while a reader is always waiting or not: rule 2.2, rule 2.5.
 */
#include "test.h"

enum { TOTAL = 20000 };

static int out;

static void *sender(void *unused)
{
    uint64_t random = 4711;
    char c[64];

    for (size_t n = 0; n < TOTAL;) {
        size_t k = 1 + next_random(&random) % sizeof c;

        k = k < TOTAL - n ? k : TOTAL - n;
        put_pattern(c, n, k);
        for (size_t i = 0; i < k; i++) /* '!' is the urgent one's alone */
            c[i] = (char)(c[i] & 15);
        SAME(send(out, c, k, 0), k);
        n += k;
        if (next_random(&random) % 3 == 0)
            SAME(send(out, "!", 1, MSG_OOB), 1);
        if (next_random(&random) % 4 == 0)
            breathe();
    }
    OK(shutdown(out, SHUT_WR));
    return unused;
}

static void run(bool is_inline)
{
    int p[2] = { OK(ioeventpipe(8)), OK(ioeventpipe(8)) }, s[2], at = 0;
    uint64_t random = 815;
    size_t n = 0;
    pthread_t t;

    CHECK(tcp_pair(AF_INET, s));
    out = s[1];
    ATTACH(s[0], p[0], 1);
    if (is_inline)
        GIVES(ioevent_fcntl(s[0], F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    t = start_thread(sender, NULL);
    for (;;) {
        char b[100], c;
        struct ioevent e = { 0 };
        ssize_t r = ioevent_read(s[0], b, 1 + next_random(&random) % sizeof b);

        if (r == -1) {
            CHECK(errno == EIOEVENTQUEUED);
            e = HARVEST(p[at]);
            SAME(e.ioe_errno, 0);
            r = e.ioe_result;
        }
        if (r == 0)
            break;
        for (ssize_t i = 0; i < r; i++) {
            if (b[i] == '!') /* an urgent one that nobody read, and a newer one took its place: an ordinary one now */
                continue;
            SAME(b[i], pattern(n) & 15);
            n++;
        }
        if (next_random(&random) % 2)
            (void)!recv(s[0], &c, 1, MSG_OOB | MSG_DONTWAIT);
        if (next_random(&random) % 3 == 0)
            ATTACH(s[0], p[at ^= 1], 1);
    }
    SAME(n, TOTAL);
    ZERO(pthread_join(t, NULL));
    for (int i = 0; i < 2; i++) {
        STAYS_QUIET(p[i]);
        GIVES(ioevent_close(p[i]), 0);
    }
    OK(close(s[0]));
    OK(close(s[1]));
}

int main(void)
{
    run(false);
    run(true);
    return 0;
}
