//! The engine, which does the I/O of pipes, and the seam behind which it stands.
//!
//! An operation goes once through the floors: `calls` finds the attachment and takes a place, the `Engine` carries the
//! operation out, now or later, its completion goes by `Completions` into a lane of the pipe, and a harvest takes it
//! out as an event.
//!
//! # Locks
//!
//! While the application has one thread here, its fast path locks nothing: see `bias`. Else, from the outside in; a
//! thread that holds one takes only those further in:
//!
//! 0. that of `access` (threads that revoke the bias, as long as they are at work),
//! 1. a stripe of the `World` (of threads that attach a number),
//! 2. an attachment (one at a time, but for accept, which may find a stale one under the number that it was given),
//! 3. the alarm of a pipe,
//! 4. a lane,
//! 5. a pool, or the jobs of the workers.
//!
//! A pipe is kept alive by the count of its users or by the lock of an attachment of it; see `pipe`.

pub(crate) mod arming;
pub(crate) mod call;
pub(crate) mod completions;
pub(crate) mod epoll;
mod iovecs;
pub(crate) mod kept_errors;
pub(crate) mod limits;
pub(crate) mod misuse;
pub(crate) mod observed;
pub(crate) mod other_end;
mod parts;
pub(crate) mod release;
pub(crate) mod times;

use crate::event::RawEvent;
use crate::queue::lane::Lane;
use crate::queue::op::{OpRef, Order};
use crate::state::attachment::Locked;
use crate::state::pipe::Pipe;
use crate::state::poller::Poller;
use crate::sync::access::Sole;
use crate::sys::Result;
use crate::sys::nature::Look;
use completions::Completions;
use core::mem::MaybeUninit;

/// How a descriptor comes to an engine.
#[derive(Clone, Copy)]
pub(crate) enum Attach {
    /// For the first time; a look at it has told this.
    New(Look),
    /// Another pipe watches it, or has watched it until now.
    Again,
}

/// The seam: what does the I/O of one pipe.
///
/// Operations are handed in with `enqueue`; each comes out exactly once, through `Completions::complete`, during any of
/// these calls: at once, or in a later one. What lies between is the engine's own business: one engine tries, parks and
/// waits for readiness, another may give the operation to a kernel that completes it by itself. An operation that is
/// not yet complete is in one of the queues of its attachment, whose lock the caller holds and which gives the order of
/// rule 2.5. (One that waits alone may be parked without a node, until one of these calls is made: `slot`.)
///
/// What the kernel tells is waited for with `wait`, with no lock and no bias held, and handled after it: either whole
/// by `handle`, or by one of the functions of the fast path, each of which says how far it has come, and then the rest
/// by `handle`.
pub(crate) trait Engine {
    /// What one wait has brought; nothing, at first.
    type Found: Default;
    /// The most things that one wait brings.
    const MOST: usize;

    /// Waits for things to happen, `most` of them and for `timeout` nanoseconds (`None`: for ever) at most. How many
    /// there are.
    fn wait(&self, found: &mut Self::Found, most: usize, timeout: Option<u64>) -> Result<usize>;
    /// The same for ever, or not at all, and for no more than `MOST`. How many there are, or -errno. Other errors than
    /// EINTR are to be found out anew by `wait`.
    fn wait_plainly(&self, found: &mut Self::Found, most: usize, waits: bool) -> isize;
    /// Handles what was found, without the first `from`, with locks.
    fn handle(&self, found: &Self::Found, from: usize, out: &Completions) -> Heard;
    /// Handles what was found, for a thread that goes alone, and whose lane, which is empty, is `lane`: as far as the
    /// fast path goes. The events are put into `room`, and into the lane if there are more.
    fn handle_sole(
        sole: &Sole,
        found: &Self::Found,
        pipe: &'static Pipe,
        lane: &'static Lane,
        room: &mut [MaybeUninit<RawEvent>],
    ) -> Handled;
    /// The event, if one thing was found, and that is all there is to it. Otherwise nothing was done.
    fn handle_only(sole: &Sole, found: &Self::Found) -> Option<RawEvent>;
    /// As `handle_sole`, with locks; and only as far as there is room.
    fn handle_shared(
        found: &Self::Found,
        pipe: &'static Pipe,
        lane: &'static Lane,
        room: &mut [MaybeUninit<RawEvent>],
    ) -> Handled;
    /// poll(2) has told this of a descriptor that the watchdog polls (`polled_apart`). False: no operation waits for
    /// it.
    fn told(attachment: &Locked, events: i16, out: &Completions) -> bool;

    /// Begins to watch a descriptor. The table has it already, so another thread may be told of it at once.
    fn attach(&self, attachment: &Locked, how: Attach) -> Result<()>;
    /// Stops watching. Its queues are empty, or another pipe's engine goes on with what is in them.
    fn detach(&self, attachment: &Locked);
    /// Whether the descriptor is still the open file that was attached (rule 4.4).
    fn is_same_file(&self, attachment: &Locked) -> bool;
    /// Carries out an operation that is in no queue, if that can be done now and no other of its order waits. `None` if
    /// not: it may have moved some bytes (`Op::done`), and can be handed to `enqueue` next.
    fn attempt(&self, attachment: &Locked, op: OpRef) -> Option<Result<usize>>;
    /// Finds out what has to be known of a descriptor before an operation of this order can be attempted or taken over.
    fn learn(&self, attachment: &Locked, order: Order);
    /// Takes an operation over.
    fn enqueue(&self, attachment: &Locked, op: OpRef, out: &Completions);
    /// The same for an output of which the fast path has made one try, with the answer that the kernel gave.
    fn enqueue_begun(&self, attachment: &Locked, op: OpRef, sent: Result<usize>, out: &Completions);
    /// Goes on with operations that something other than the kernel has made possible.
    fn resume(&self, attachment: &Locked, out: &Completions);
    /// Whether an operation, whose attachment is locked, can be ended now; false: the kernel is at work on it (rule
    /// 4.8).
    fn retract(&self, op: OpRef) -> bool;
}

/// What the engine of a pipe finds in a wait.
pub(crate) type Found = <Poller as Engine>::Found;

/// What has become of the things that a thread has found, and has handled by the fast path.
#[derive(Clone, Copy, Default)]
pub(crate) struct Handled {
    /// So many of them, from the first on.
    pub(crate) things: usize,
    /// So many events were put into the thread's room.
    pub(crate) events: usize,
}

/// What was heard beside completions.
#[derive(Clone, Copy, Default)]
pub(crate) struct Heard {
    /// How many things had happened; less than asked for means that nothing more was there.
    pub(crate) count: usize,
    /// The steal timer of `wake` ticked.
    pub(crate) tick: bool,
}
