/*
 * The torture: many threads do random operations of all kinds on many descriptors of all kinds, harvest, cancel,
 * detach, attach again, resize, post, and close descriptors and pipes. Checked, for the whole of it: every
 * EIOEVENTQUEUED has exactly one event, or its pipe was closed (rule 2.2, rule 3.7); results and errors are those that
 * a blocking call could have (rule 2.4); streams and messages arrive in order and whole, ended early or not (rule 2.5);
 * no buffer is touched after its event (rule 2.3); nothing ends early that nobody ended, or before its time (rule 4.3,
 * rule 4.6, rule 4.7); nothing waits that is ready (rule 2.7); the places taken are those (rule 3.1); no flag of a file
 * is changed (rule 4.5); descriptors and memory do not grow. Threads come and go meanwhile (rule 5.3).
 *
 *   torture [-t THREADS] [-s SECONDS] [-r SEED] [-k KINDS] [-x ACTIONS]
 *
 * With -t 0 the first thread does it all, beside which there are only the library's own.
 * TORTURE_THREADS, TORTURE_SECONDS, TORTURE_SEED, TORTURE_KINDS and TORTURE_ACTIONS say the same. KINDS and ACTIONS are
 * for narrowing a failure down: bits of `enum kind` that are used, of `enum action` that are not.
 *
 * How it counts. Half of the operations go through ioevent_submit, with a user pointer of their own that is never used
 * twice; the others are plain calls, counted by the attachment ("life") whose user pointer they have. On descriptors
 * whose bytes are verified a life has one plain call outstanding at a time, so that its event is known, too; on the
 * `mixed` ones many. Every so often all threads pause, all that can happen happens, and what is still waiting is looked
 * at; every third time everything is closed, and nothing may be left.
 */
#define THREADS 4
#include "torture/run.h"

int main(int argc, char **argv)
{
    return torture(argc, argv);
}
