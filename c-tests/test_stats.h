/*
 * The statistics of a pipe.
 */
#ifndef TEST_STATS_H
#define TEST_STATS_H

#include "test_check.h"

#include <stdbool.h>
#include <string.h>

static inline struct ioevent_stats stats_of(int p)
{
    struct ioevent_stats stats;

    memset(&stats, 0xee, sizeof stats);
    GIVES(ioevent_stats(p, &stats, sizeof stats), sizeof stats);
    return stats;
}

/* A field is this now. */
#define COUNTED(p, field, value) SAME(stats_of(p).ios_##field, value)

/* A statement counts so many more in one field; and if that is a kind of operation, in no other kind. */
#define COUNTS(p, field, n, statement)                                          \
    do {                                                                        \
        struct ioevent_stats before_ = stats_of(p);                             \
        statement;                                                              \
        struct ioevent_stats after_ = stats_of(p);                              \
        SAME(after_.ios_##field - before_.ios_##field, n);                      \
        SAME(all_queued(&after_) - all_queued(&before_),                        \
             is_queued_kind(#field) ? (n) : 0);                                 \
    } while (0)

/* All that ever took a place. */
static inline uint64_t all_queued(const struct ioevent_stats *s)
{
    return s->ios_reads + s->ios_writes + s->ios_accepts + s->ios_connects + s->ios_polls + s->ios_transfers
           + s->ios_syncs + s->ios_shutdowns + s->ios_waits + s->ios_timers + s->ios_posts;
}

static inline bool is_queued_kind(const char *field)
{
    static const char *const kinds[] = { "reads", "writes", "accepts", "connects", "polls", "transfers",
                                         "syncs", "shutdowns", "waits", "timers", "posts" };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(field, kinds[i]) == 0)
            return true;
    return false;
}

#endif
