//! The engine: operations, places, ready lists, sleep and wake, and under them the engine proper, which does the I/O.
//!
//! An operation goes once through the floors: `submit` finds the attachment and takes a place, the pipe's `Engine`
//! carries the operation out, now or later, its completion goes through a `Completions` into a lane of the pipe, and a harvest
//! takes it out as an event.
//!
//! # Locks
//!
//! While the application has one thread here, its fast path locks nothing: see `bias`. Else, from the outside in; a
//! thread that holds one takes only those further in:
//!
//! 0. that of `access` (threads that revoke the bias, as long as they are at work),
//! 1. a stripe of the `World` (who attaches a number),
//! 2. an attachment (one at a time, but for accept, which may find a stale one under the number that it was given),
//! 3. the engine's alarm,
//! 4. a lane,
//! 5. a pool, or the list of jobs of the workers.
//!
//! A pipe is kept alive by the count of its users or by the lock of an attachment of it; see `pipe`.

mod arming;
pub(crate) mod call;
pub(crate) mod completions;
pub(crate) mod epoll;
mod handover;
mod iovecs;
pub(crate) mod limits;

use crate::queue::op::OpRef;
use crate::state::attachment::Locked;
use crate::sys::Result;
use completions::Completions;

/// The seam: what does the I/O of one pipe.
///
/// Operations are handed in with `submit`; each comes out exactly once, through `Completions::complete`, during any of these
/// calls: at once, in a later `look`, or in `end`. What lies between is the engine's own business: one engine tries,
/// parks and waits for readiness, another may give the operation to a kernel that completes it by itself. An operation
/// that is not yet complete is in one of the queues of its attachment, whose lock the caller holds and which gives the
/// order of rule 2.5. (One read that waits alone may be parked without a node, until one of these calls is made:
/// `slot`.)
pub(crate) trait Engine {
    /// Begins to watch a descriptor. The table has it already, so a `look` in another thread may see it.
    fn attach(&self, attachment: &Locked) -> Result<()>;
    /// The same for one that another engine watches, or has watched until now.
    fn attach_again(&self, attachment: &Locked) -> Result<()>;
    /// Stops watching. Its queues are empty, or another pipe's engine goes on with what is in them.
    fn detach(&self, attachment: &Locked);
    /// Whether the descriptor is still the open file that was attached (rule 4.4).
    fn knows(&self, attachment: &Locked) -> bool;
    /// Takes an operation over.
    fn submit(&self, attachment: &Locked, op: OpRef, out: &Completions);
    /// Carries out an operation that is in no queue, if that can be done now and no other of its order waits. `None` if
    /// not: it may have moved some bytes (`Op::done`), and can be handed to `submit` next.
    fn try_at_once(&self, attachment: &Locked, op: OpRef) -> Option<Result<usize>>;
    /// Has an operation that waits, and is TIMED, ended with ETIMEDOUT at a time of CLOCK_MONOTONIC; ENOMEM if it
    /// cannot.
    fn limit(&self, attachment: &Locked, op: OpRef, time: u64) -> Result<()>;
    /// Whether something has come to its time that nobody has been told of.
    fn is_past_time(&self) -> bool;
    /// Ends what has come to its time by now.
    fn expire_due(&self, out: &Completions);
    /// Goes on with operations that something other than the kernel has made possible.
    fn proceed(&self, attachment: &Locked, out: &Completions);
}

/// What a `look` heard beside completions.
#[derive(Clone, Copy, Default)]
pub(crate) struct Heard {
    /// How many things had happened; less than asked for means that nothing more was there.
    pub(crate) count: usize,
    /// The clock of `wake` ticked.
    pub(crate) tick: bool,
}
