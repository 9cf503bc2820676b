//! What has happened in a pipe so far, in numbers (`calls::stats`).
//!
//! # Protocol
//!
//! Each count is kept in several places, and is their sum. A thread that has a lane in the pipe counts in that lane, by
//! a load and a store, since no other thread writes there. A thread that goes alone (`bias`) does the same in the
//! counts of the pipe, which it has at hand sooner. All others add to the counts of the pipe atomically, away from the
//! fast path: they are admitted, or have revoked the bias, so that no thread goes alone meanwhile.
//!
//! Reads are not counted. Every place is taken for one operation or posted event, and is given back when its event is
//! harvested. So the places that are taken and the events that were harvested are, together, all that was ever queued
//! or posted, and reads are what remains of these. A thread that harvests gives the places back first, *then* counts
//! the events, with Release; one that looks reads the events first, with Acquire, *then* the places: it may find an
//! event neither here nor there, but never both. It looks again until nothing was counted meanwhile.
//!
//! Lanes stay when their threads end, and so do their counts. All begin anew with the life of the pipe.

use super::op::Kind;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Count {
    // Operations that were queued: what every place is taken for, but for reads.
    Writes,
    Accepts,
    Connects,
    Polls,
    Transfers,
    Syncs,
    Shutdowns,
    Waits,
    Timers,
    Posts,
    // All else.
    /// Operations that gave their result directly.
    Inline,
    /// Events that were harvested.
    Events,
    /// Refusals because of a full pipe.
    Full,
    /// Times that a thread took events out of the lane of another one.
    Takeovers,
    /// Looks of harvests into the kernel that found nothing.
    EmptyLooks,
    /// Timers whose time has come.
    Expired,
    /// Operations that were given to a worker.
    Jobs,
}

/// How many of them stand for places.
const WITH_PLACE: usize = Count::Inline as usize;
/// How many there are.
const ALL: usize = Count::Jobs as usize + 1;

impl Count {
    /// What an operation is counted as; `None`: it is a read.
    #[inline(always)]
    pub(crate) fn of(kind: Kind) -> Option<Count> {
        match kind {
            Kind::Read | Kind::Readv | Kind::Recv | Kind::Recvmsg | Kind::Pread | Kind::Preadv => None,
            Kind::Write | Kind::Writev | Kind::Send | Kind::Sendmsg | Kind::Pwrite | Kind::Pwritev => {
                Some(Count::Writes)
            }
            Kind::Accept => Some(Count::Accepts),
            Kind::Connect => Some(Count::Connects),
            Kind::Poll => Some(Count::Polls),
            Kind::Sendfile | Kind::Splice => Some(Count::Transfers),
            Kind::Fsync | Kind::Fdatasync => Some(Count::Syncs),
            Kind::Shutdown => Some(Count::Shutdowns),
            Kind::Waitid => Some(Count::Waits),
            Kind::Timer => Some(Count::Timers),
            Kind::Posted | Kind::Kept => Some(Count::Posts),
        }
    }
}

/// Counts of one place. All zeros at first.
#[derive(Default)]
pub(crate) struct Counts([AtomicU64; ALL]);

impl Counts {
    pub(crate) const fn new() -> Counts {
        Counts([const { AtomicU64::new(0) }; ALL])
    }

    #[inline(always)]
    fn at(&self, what: Count) -> &AtomicU64 {
        // SAFETY: there is one for each of them.
        unsafe { self.0.get_unchecked(what as usize) }
    }

    /// Counts, where no other thread writes.
    #[inline(always)]
    pub(crate) fn add_alone(&self, what: Count, n: u64) {
        let count = self.at(what);
        // Release: see the module's head.
        count.store(count.load(Relaxed).wrapping_add(n), Release);
    }

    /// Counts, where others do so too.
    pub(crate) fn add(&self, what: Count, n: u64) {
        self.at(what).fetch_add(n, Release);
    }

    pub(crate) fn get(&self, what: Count) -> u64 {
        self.at(what).load(Acquire)
    }

    /// How many places were taken for what is counted.
    pub(crate) fn with_place(&self) -> u64 {
        self.0.iter().take(WITH_PLACE).map(|count| count.load(Acquire)).fold(0, u64::wrapping_add)
    }

    /// Back to the beginning. No other thread uses them.
    pub(crate) fn reset(&self) {
        self.0.iter().for_each(|count| count.store(0, Relaxed));
    }
}
