/*
 * A stream of bytes goes from a pipe to a socket, and from a socket to a pipe, through many outstanding splices:
 * every byte once and in order, one event for each splice, 0 for those behind the end: rule 2.2, rule 2.4, rule 2.5.
 */
#include "test_file.h"

enum { SPLICES = 8 };

static size_t size;
static int feeding, eating;

static void *feeder(void *unused)
{
    static unsigned char block[30011];

    for (size_t done = 0, n; done < size; done += n) {
        n = size - done < sizeof block ? size - done : sizeof block;
        put_pattern(block, done, n);
        for (size_t put = 0; put < n;)
            put += (size_t)OK(write(feeding, block + put, n - put));
    }
    OK(close(feeding));
    return unused;
}

static void *eater(void *unused)
{
    static unsigned char block[20000];

    for (size_t done = 0, n; done < size; done += n) {
        n = size - done < sizeof block ? size - done : sizeof block;
        read_all(eating, block, n);
        CHECK(is_pattern(block, done, n));
    }
    return unused;
}

static void run(int from, int to, bool of_source)
{
    int p = OK(ioeventpipe(SPLICES)), in[2], out[2], outstanding = 0, mine;
    size_t total = 0;
    uintptr_t next = 0, expected = 0;
    bool end = false;
    pthread_t f, e;

    if (!stream_pair(from, in))
        return;
    if (!stream_pair(to, out))
        return;
    mine = of_source ? in[0] : out[1];
    feeding = in[1];
    eating = out[0];
    f = start_thread(feeder, NULL);
    e = start_thread(eater, NULL);
    while (!end || outstanding > 0) {
        struct ioevent event;

        while (!end && outstanding < SPLICES) {
            ATTACH(mine, p, next);
            QUEUED(ioevent_splice(in[0], NULL, out[1], NULL, 1000 + next % 7 * 10000, 0));
            next++;
            outstanding++;
        }
        event = HARVEST(p);
        outstanding--;
        SAME((uintptr_t)event.ioe_user, expected);
        expected++;
        SAME(event.ioe_errno, 0);
        if (end)
            SAME(event.ioe_result, 0);
        end = event.ioe_result == 0;
        total += (size_t)event.ioe_result;
        CHECK(total <= size);
    }
    SAME(total, size);
    ZERO(pthread_join(f, NULL));
    ZERO(pthread_join(e, NULL));
    STAYS_QUIET(p);
    GIVES(ioevent_close(in[0]), 0);
    GIVES(ioevent_close(out[1]), 0);
    OK(close(out[0]));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    size = on_valgrind() ? 300000 : 2000003;
    for (int which = 0; which < STREAMS; which++)
        for (int of_source = 0; of_source < 2; of_source++) {
            run(STREAM_PIPE, which, of_source);
            run(which, STREAM_PIPE, of_source);
        }
    return 0;
}
