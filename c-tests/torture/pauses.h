/*
 * The pauses, in which all that can happen happens, and what is left is looked at.
 */
#ifndef TORTURE_PAUSES_H
#define TORTURE_PAUSES_H

#include "channels.h"
#include "harvest.h"

static int harvest_all(void)
{
    int total = 0;

    for (int i = 0; i < PIPES; i++)
        for (int n = 1; n > 0; total += n > 0 ? n : 0)
            n = harvest_wait(pipes[i], 256, 0);
    return total;
}

/* An operation that waits although its descriptor is ready; NULL if there is none. */
static struct op *waits_in_vain(void)
{
    for (int i = 0; i < OPS; i++) {
        struct op *op = &ops[i];
        struct pollfd ready = { .fd = op->end ? op->end->fd : -1 };

        if (GET(op->state) != BUSY)
            continue;
        if (op->limit && now_ns() - op->begun > op->limit + (slow() ? 20 : 2) * SECOND)
            die(op, "it has a time limit, and waits still");
        if (!op->chan || op->chan->closing || (op->life && op->chan->is->mixed) ||
            (op->direction == IN && op->flags & (MSG_WAITALL | MSG_ERRQUEUE)))
            continue;
        if (op->what == IOEVENT_OP_POLL)
            ready.events = (short)op->flags;
        else if (op->direction == IN)
            ready.events = POLLIN;
        else if (!op->chan->big_value)
            ready.events = POLLOUT;
        if (op->chan->kind == K_PTY) /* the kernel wakes nobody when a terminal can take more */
            ready.events &= ~POLLOUT;
        if (poll(&ready, 1, 0) != 0 && ready.revents) {
            op->value = (uint64_t)ready.revents; /* to be shown */
            return op;
        }
    }
    return NULL;
}

static bool all_over(void)
{
    for (int i = 0; i < OPS; i++)
        if (GET(ops[i].state) == BUSY)
            return false;
    return true;
}

/* Waits until nothing happens any more. With `all`: until no operation is outstanding. */
static void settle(bool all)
{
    long long quiet = now_ns(), end = quiet + (slow() ? 120 : 30) * SECOND;
    struct op *op = NULL;

    for (;;) {
        if (harvest_all() > 0)
            quiet = now_ns();
        if (all ? all_over() && GET(live_chans) == 0 : now_ns() - quiet > 40 * MS && !(op = waits_in_vain()))
            return;
        if (now_ns() > end && (now_ns() - quiet > 5 * SECOND || !all))
            break;
        breathe();
    }
    for (int i = 0; !op && i < OPS; i++)
        if (GET(ops[i].state) == BUSY)
            op = &ops[i];
    for (int i = 0; op && op->end && i < OPS; i++)
        if (GET(ops[i].state) == BUSY && ops[i].chan == op->chan && &ops[i] != op)
            dprintf(2, "beside it: %s of %zu on fd %d, direction %d, %s, flags %#x, %lld us ago\n",
                    what_name[ops[i].what], ops[i].len, ops[i].end->fd, ops[i].direction,
                    ops[i].life ? "plain" : "submitted", ops[i].flags, (now_ns() - ops[i].begun) / US);
    if (op)
        die(op, "%s (revents %#x)",
            all ? "it was ended, and its event never came" : "it waits although the descriptor is ready",
            (unsigned)op->value);
    die(NULL, "%ld channels are not closed", GET(live_chans));
}

static void check_counts(void)
{
    long taken[PIPES] = { 0 };

    for (int k = 0; k < PIPES; k++) {
        for (int i = 0; i < OPS; i++)
            taken[k] += ops[i].state == BUSY && !ops[i].life && ops[i].pipe == pipes[k];
        for (int i = 0; i < LIVES; i++)
            taken[k] += lives[i].used && lives[i].pipe == pipes[k] ? lives[i].queued - lives[i].events : 0;
        if (ioevent_fcntl(pipes[k]->fd, F_GETIOEVENTCNT) != taken[k])
            die(NULL, "%d places of a pipe are taken, and %ld operations outstanding",
                ioevent_fcntl(pipes[k]->fd, F_GETIOEVENTCNT), taken[k]);
    }
    for (int i = 0; i < WHATS; i++)
        if (queued[i] < events[i] + gone[i])
            die(NULL, "%s: %ld queued, %ld events, %ld gone with their pipe", what_name[i], queued[i], events[i],
                gone[i]);
    for (int i = 0; i < OPS; i++)
        if (ops[i].state == FREE)
            check_poison(&ops[i], "in a pause");
}

static long resident_kb(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[200];
    long kb = 0;

    if (f == NULL && has_no_proc())
        return 0; /* it cannot be told */
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "RssAnon: %ld", &kb) == 1)
            break;
    fclose(f);
    return kb;
}

/* Everything is closed: nothing may be left. Opens everything anew, if there is to be more. */
static void start_over(struct worker *w, bool more)
{
    static int fds = -1;
    static long kb, rounds;
    int now;

    for (int i = 0; i < SLOTS; i++) {
        struct chan *old = slots[i].chan;

        slots[i].chan = NULL;
        if (old)
            close_chan(w, old);
    }
    settle(true);
    check_counts();
    for (int i = 0; i < WHATS; i++)
        if (queued[i] != events[i] + gone[i])
            die(NULL, "%s: %ld queued, %ld events, %ld gone with their pipe", what_name[i], queued[i], events[i],
                gone[i]);
    for (int i = 0; i < LIVES; i++)
        CHECK(!lives[i].used);
    for (int i = 0; i < PIPES; i++)
        SAME(ioevent_fcntl(pipes[i]->fd, F_GETIOEVENTCNT), 0);
    now = count_fds();
    if (fds == -1)
        fds = now;
    if (now > fds + 8)
        die(NULL, "%d descriptors, %d at first", now, fds);
    if (++rounds == 3)
        kb = resident_kb();
    if (!more && rounds > 6 && !slow()) {
        printf("memory: %ld kB after the third round, %ld kB at the end of round %ld\n", kb, resident_kb(), rounds);
        if (resident_kb() > kb * 5 / 4 + 16000)
            die(NULL, "memory grows");
    }
    for (int i = 0; i < SLOTS && more; i++)
        slots[i].chan = open_chan(w);
}

static void say(void)
{
    long total = 0;

    for (int i = 0; i < WHATS; i++) {
        total += queued[i];
        if (queued[i] + directs[i])
            printf("%-10s %9ld queued %9ld events %7ld gone with their pipe %8ld direct\n",
                   i ? what_name[i] : "mixed plain", queued[i], events[i], gone[i], directs[i]);
    }
    printf("%ld operations in %ld harvests; %ld refused (full), %ld canceled, %ld timed out, %ld parts\n", total,
           harvests, fulls, canceled, timed_out, parts);
    printf("%ld bytes and %ld messages compared; %ld connections accepted; closed %ld channels, %ld pipes; "
           "%ld resizes, %ld attachments, %ld threads ended\n",
           bytes_verified, messages_verified, accepted, chans_closed, pipes_closed, resizes, attachments, deaths);
}

#endif
