/*
 * More events wait to be harvested than the fast part of a thread's ready list holds: those of each descriptor still
 * come in order, each once, however much of them is taken at a time. Rules 2.2, 2.5; by a thread that is alone, and by
 * one that shares with others.
 */
#include "test.h"

enum { WRITER = 1, READER = 2, MOST = 700, STEPS = 40000, RUNS = 3 };

static int p, out[2], in[2];
static unsigned seed = 12345;

static unsigned pick(unsigned below)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 16) % below;
}

/* What was queued on a descriptor and whose event has not come yet: how many bytes each moves. */
struct expected {
    int sizes[MOST];
    unsigned first, count;
};

static void expect(struct expected *e, int size)
{
    e->sizes[(e->first + e->count++) % MOST] = size;
}

static struct expected writes, reads;
static char buffers[MOST][8];
static unsigned char given, taken; /* the bytes for the reader count up */

static void queue_write(void)
{
    int size = 1 + (int)pick(7);

    QUEUED(ioevent_write(out[0], "writing", (size_t)size));
    expect(&writes, size);
}

/* A read of what is there: one that fills its buffer, or not. */
static void queue_read(void)
{
    int there = 1 + (int)pick(7);
    char bytes[8];

    for (int i = 0; i < there; i++)
        bytes[i] = (char)given++;
    GIVES(write(in[1], bytes, (size_t)there), there);
    QUEUED(ioevent_read(in[0], buffers[(reads.first + reads.count) % MOST], (size_t)there + pick(2)));
    expect(&reads, there);
}

static void harvest(int most)
{
    struct ioevent events[64];
    int n = OK(ioevent_wait(p, events, most, pick(2) || !(writes.count + reads.count) ? &no_wait : NULL));

    for (int i = 0; i < n; i++) {
        struct expected *e = events[i].ioe_user == USER(WRITER) ? &writes : &reads;

        SAME(events[i].ioe_errno, 0);
        CHECK(e->count > 0);
        SAME(events[i].ioe_result, e->sizes[e->first % MOST]);
        if (e == &reads)
            for (int k = 0; k < events[i].ioe_result; k++)
                SAME((unsigned char)buffers[e->first % MOST][k], taken++);
        e->first++;
        e->count--;
    }
}

static void run(void)
{
    int grows = 1;

    for (int step = 0; step < STEPS; step++) {
        unsigned waiting = writes.count + reads.count;

        if (waiting > MOST - 10 || step % 4000 == 3999)
            grows = 0;
        else if (waiting < 5)
            grows = 1;
        if (writes.count < MOST / 2 && reads.count < MOST / 2 && (grows || pick(3) == 0)) {
            if (pick(2))
                queue_write();
            else
                queue_read();
        }
        if (pick(grows ? 40 : 2) == 0)
            harvest(1 + (int)pick(64));
        if (step % 64 == 0)
            drain(out[1]);
    }
    while (writes.count + reads.count)
        harvest(64);
    drain(out[1]);
}

static void *come(void *unused)
{
    GIVES(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
    QUIET(p);
    return unused;
}

int main(void)
{
    p = OK(ioeventpipe(MOST));
    unix_pair(out);
    unix_pair(in);
    ATTACH(out[0], p, WRITER);
    ATTACH(in[0], p, READER);
    QUIET(p);
    for (int i = 0; i < RUNS; i++)
        run();
    ZERO(pthread_join(start_thread(come, NULL), NULL));
    for (int i = 0; i < RUNS; i++)
        run();
    STAYS_QUIET(p);
    GIVES(ioevent_fcntl(p, F_GETIOEVENTCNT), 0);
    return 0;
}
