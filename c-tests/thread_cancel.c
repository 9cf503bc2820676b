/*
 * Harvests and calls on attached descriptors are no cancellation points: pthread_cancel takes effect after them:
 * rule 5.3. Nothing is lost.
 */
#include "test.h"

static int p, fd[2], phase, how;
static pid_t tid;
static char b[4];

/* musl's pthread_cancel always sends a signal, which has a handler: EINTR. */
#ifdef __GLIBC__
#define BUT_FOR_SIGNALS(call) (call)
#else
#define BUT_FOR_SIGNALS(call)               \
    ({                                      \
        ssize_t n_;                         \
                                            \
        do                                  \
            n_ = (call);                    \
        while (n_ == -1 && errno == EINTR); \
        n_;                                 \
    })
#endif

/* the address sanitizer does not see that a cancelled thread leaves its frames */
__attribute__((no_sanitize("address")))
static void *waiter(void *unused)
{
    struct ioevent e;

    TELL_TID(tid);
    if (how == 0)
        GIVES(BUT_FOR_SIGNALS(ioevent_wait(p, &e, 1, NULL)), 1);
    else if (how == 1)
        GIVES(BUT_FOR_SIGNALS(ioevent_read(p, &e, sizeof e)), sizeof e);
    else { /* cancelled before the call */
        int old;

        UNTIL(GET(phase) == 1);
        ZERO(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old));
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        GIVES(ioevent_write(p, &(struct ioevent){ USER(1), 1, 0 }, sizeof e), sizeof e);
        GIVES(ioevent_wait(p, &e, 1, NULL), 1);
        GIVES(ioevent_cancel(fd[0]), 1);
        GIVES(ioevent_read(p, &e, sizeof e), sizeof e);
        GIVES(ioevent_wait(p, &e, 1, &no_wait), 0);
        QUEUED(ioevent_write(fd[0], "x", 1));
        GIVES(ioevent_wait(p, &e, 1, NULL), 1);
        e.ioe_user = USER(1);
    }
    CHECK(e.ioe_user == USER(1));
    SET(phase, 2);
    for (;;)
        pthread_testcancel();
    return unused;
}

static void *waiter_disabled(void *unused)
{
    int old;

    /* until its cancellation is pending: nanosleep is a cancellation point */
    ZERO(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old));
    return waiter(unused);
}

int main(void)
{
    p = OK(ioeventpipe(4));
    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    for (how = 0; how < 3; how++) {
        void *result = NULL;
        pthread_t t;

        SET(phase, 0);
        SET(tid, 0);
        t = start_thread(how == 2 ? waiter_disabled : waiter, NULL);
        if (how < 2)
            UNTIL_ASLEEP(tid);
        ZERO(pthread_cancel(t));
        SET(phase, 1);
        if (how < 2) {
            for (int i = 0; i < 20; i++) { /* it does not end by itself */
                breathe();
                SAME(pthread_tryjoin_np(t, &result), EBUSY);
            }
            GIVES(ioevent_write(p, &(struct ioevent){ USER(1), 1, 0 }, sizeof(struct ioevent)),
                  sizeof(struct ioevent));
        }
        ZERO(pthread_join(t, &result));
        CHECK(result == PTHREAD_CANCELED);
        SAME(GET(phase), 2);
    }
    STAYS_QUIET(p);
    return 0;
}
