/*
 * More operations than the library has threads for: cancel counts those that the kernel is not at work on, and these
 * end with ECANCELED; the others end when the kernel is done, whole: rule 4.8, rule 4.7, rule 2.2.
 */
#include "test_held.h"

enum { N = 40 };

int main(void)
{
    int p = OK(ioeventpipe(N)), fd = held_file(N * HELD_PAGE, false), ended;
    bool seen[N] = { false };
    char *page[N];

    for (int i = 0; i < N; i++)
        page[i] = held_page();
    ATTACH(fd, p, 0);
    if (!IS_HELD(ioevent_pread(fd, page[0], HELD_PAGE, 0)))
        SKIP("the calling thread does the I/O by itself here");
    for (int i = 1; i < N; i++) {
        ATTACH(fd, p, i);
        QUEUED(ioevent_pread(fd, page[i], HELD_PAGE, i * HELD_PAGE));
    }
    STAYS_QUIET(p);
    ended = OK(ioevent_cancel(fd));
    CHECK(ended > 0 && ended < N); /* no library has so many threads for this */
    for (int i = 0; i < ended; i++) { /* at once, while the others are held */
        struct ioevent e = HARVEST(p);
        uintptr_t k = (uintptr_t)e.ioe_user;

        CHECK(k > 0 && k < N && !seen[k]);
        seen[k] = true;
        SAME(e.ioe_result, -1);
        SAME(e.ioe_errno, ECANCELED);
    }
    STAYS_QUIET(p);
    GIVES(ioevent_cancel(fd), 0);
    SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), N - ended);
    for (int i = 0; i < N; i++)
        RELEASE();
    for (int i = ended; i < N; i++) {
        struct ioevent e = HARVEST(p);
        uintptr_t k = (uintptr_t)e.ioe_user;

        CHECK(k < N && !seen[k]);
        seen[k] = true;
        SAME(e.ioe_errno, 0);
        SAME(e.ioe_result, HELD_PAGE);
        CHECK(is_pattern(page[k], k * HELD_PAGE, HELD_PAGE));
    }
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd), 0);
    return 0;
}
