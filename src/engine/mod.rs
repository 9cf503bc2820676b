//! The engine: operations, places, ready lists, sleep and wake, and under them the engine proper, which does the I/O.
//!
//! An operation goes once through the floors: `submit` finds the attachment and takes a place, the pipe's
//! `Engine` carries the operation out, now or later, its completion goes through a `Sink` into a lane of the pipe, and a
//! harvest takes it out as an event.
//!
//! # Locks
//!
//! While the application has one thread here, its short ways lock nothing: see `solo`. Else, from the outside in; whoever holds
//! one takes only those further in:
//!
//! 0. that of `visit` (who comes; for threads of the library's own, as long as they are at work),
//! 1. a stripe of the `World` (who attaches a number),
//! 2. an attachment (one at a time, but for accept, which may find a stale one under the number that it was given),
//! 3. the engine's alarm,
//! 4. a lane,
//! 5. a pool, or the list of jobs of the workers.
//!
//! A pipe is kept alive by the count of its users or by the lock of an attachment of it; see `pipe`.

mod attach;
pub(crate) mod attachment;
mod epoll;
pub(crate) mod fork;
mod handover;
mod harvest;
mod lane;
mod lock;
pub(crate) mod op;
pub(crate) mod pipe;
mod places;
mod pool;
mod private;
mod ring;
mod sink;
mod sleepers;
mod solo;
mod submit;
pub(crate) mod table;
mod visit;
pub(crate) mod wake;
mod watch;

pub(crate) use attach::{
    Modes, attach, attached_to, close, forget, modes, replace, set_modes, set_timeout, timeout,
};
pub(crate) use attachment::Attachment;
pub(crate) use harvest::{Seat, Short, short, sleep_alone, sleep_at_once, take_at_once};
pub(crate) use pipe::create;
pub(crate) use solo::Turn;
pub(crate) use submit::{
    Queued, Way, Which, Written, cancel, read_alone, read_inline_alone, read_quickly, submit, submit_timer,
    submit_transfer, write_alone, write_begun_alone, write_inline_alone, write_quickly,
};
pub(crate) use table::is_borrowed;
pub(crate) use visit::{Alone, is_shared};

use crate::Event;
use crate::sys::{Errno, Result, UserPtr};
use attachment::{Inside, Locked};
use core::mem::MaybeUninit;
use op::OpRef;
use pipe::Pipe;
use sink::Sink;

/// The pipe is full: nothing was scheduled.
pub(crate) const EIOEVENTFULL: Errno = Errno(crate::EIOEVENTFULL);
/// The operation was queued.
pub(crate) const EIOEVENTQUEUED: Errno = Errno(crate::EIOEVENTQUEUED);

/// What a short way has come to.
pub(crate) enum AtOnce {
    /// Nothing was done: another way is to be gone.
    Not,
    /// What the call gives.
    Done(Result<usize>),
    /// One try was made. The kernel's answer, bytes or -errno, was not that all is done.
    Begun(isize),
}

/// The seam: what does the I/O of one pipe.
///
/// Operations are handed in with `submit`; each comes out exactly once, through `Sink::complete`, during any of these
/// calls: at once, in a later `look`, or in `end`. What lies between is the engine's own business: one engine tries,
/// parks and waits for readiness, another may give the operation to a kernel that completes it by itself. An
/// operation that is not yet complete is in one of the queues of its attachment, whose lock the caller holds and
/// which gives the order of rule 2.5. (One read that waits alone may be parked without a node, until one of these calls is
/// made: `attachment::Locked::park`.)
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
    fn submit(&self, attachment: &Locked, op: OpRef, sink: &Sink);
    /// Carries out an operation that is in no queue, if that can be done now and no other of its order waits. `None` if not:
    /// it may have moved some bytes (`Op::done`), and can be handed to `submit` next.
    fn try_at_once(&self, attachment: &Locked, op: OpRef) -> Option<Result<usize>>;
    /// Has an operation that waits, and is TIMED, ended with ETIMEDOUT at a time of CLOCK_MONOTONIC; ENOMEM if it cannot.
    fn limit(&self, attachment: &Locked, op: OpRef, time: u64) -> Result<()>;
    /// Whether something has come to its time that nobody has been told of.
    fn is_past_time(&self) -> bool;
    /// Ends what has come to its time by now.
    fn look_at_clock(&self, sink: &Sink);
    /// `submit` for a read that can be queued with next to no work, place included. False: nothing was done. Here and below,
    /// the attachment is locked, or the thread is alone, as the turn says.
    fn submit_read_at_once(&self, turn: Turn, attachment: &Inside, buf: UserPtr, len: usize) -> bool;
    /// The same for a read where something may be there.
    fn read_what_is_there(&self, turn: Turn, attachment: &Inside, buf: UserPtr, len: usize) -> bool;
    /// `submit` for a write that can be done at once and whole, place included.
    fn submit_write_at_once(&self, turn: Turn, attachment: &Inside, buf: UserPtr, len: usize) -> AtOnce;
    /// Sees to it that these two are not kept from their work by events that have been harvested from elsewhere.
    fn come_here(&self, attachment: &Inside);
    /// Goes on with what `submit_write_at_once` has begun; the attachment was kept from others meanwhile.
    fn write_begun(&self, attachment: &Locked, buf: UserPtr, len: usize, sent: isize);
    /// With IOEVENT_INLINE: a read that can be finished, or else queued, with next to no work: its result, or EIOEVENTQUEUED.
    fn read_inline_at_once(&self, turn: Turn, attachment: &Inside, buf: UserPtr, len: usize) -> AtOnce;
    /// The same for a write.
    fn write_inline_at_once(&self, attachment: &Inside, buf: UserPtr, len: usize) -> AtOnce;
    /// Goes on with what that has begun, as `write_begun`.
    fn write_inline_begun(&self, attachment: &Locked, buf: UserPtr, len: usize, sent: isize) -> AtOnce;
    /// Goes on with operations that something other than the kernel has made possible.
    fn proceed(&self, attachment: &Locked, sink: &Sink);
    /// Waits until something has happened, for `timeout` nanoseconds (`None`: for ever), and completes what can be
    /// completed, of at most `most` descriptors. Returns what else was heard.
    fn look(&self, sink: &Sink, most: usize, timeout: Option<u64>, woken: impl FnOnce()) -> Result<Heard>;
    /// The same for a thread that is alone, for ever and as many descriptors as there may be. While it waits it is not alone, but
    /// counted among the sleepers of `pipe`, which it is not any more afterwards. `lane` is its own, and empty.
    fn look_alone(
        &self,
        pipe: &'static Pipe,
        lane: u32,
        room: &mut [MaybeUninit<Event>],
        alone: Alone,
    ) -> LookedAlone;
}

/// What a `look_alone` has come to.
pub(crate) enum LookedAlone {
    /// The thread is alone again, and has put so many events into its room; that was all.
    Alone(usize, Alone),
    /// It is alone no more, or there was more to do than that.
    Among(usize, Result<Heard>),
}

/// What a `look` heard beside completions.
#[derive(Clone, Copy, Default)]
pub(crate) struct Heard {
    /// How many things had happened; less than asked for means that nothing more was there.
    pub(crate) count: usize,
    /// The clock of `wake` ticked.
    pub(crate) tick: bool,
}
