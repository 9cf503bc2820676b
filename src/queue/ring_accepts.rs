//! Events of accepts in a ring. The descriptor in such an event is the library's until the event is read: it has to be
//! closed if no thread reads it (rule 3.7), and in a forked child. A ring knows of no kinds of events; so these are
//! marked, and counted, so that a thread which takes events out looks for marks only when there are any.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// In a ring, in the place of an event's errno: it is that of an accept, which has succeeded. No operation has such an
/// errno; and what the application posts, which may, goes into the common lane, where no accept goes into the ring.
pub(crate) const ACCEPTED: i32 = i32::MIN;

/// How many are in a ring. All accesses are Relaxed: the owner counts one before it puts it in, and a thread that takes
/// it out has seen all that came before that (see `ring`).
#[derive(Default)]
pub(crate) struct RingAccepts(AtomicU32);

impl RingAccepts {
    /// The owner of the ring is about to put one in.
    #[inline(always)]
    pub(crate) fn expect(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// Whether there may be some among the events that were just taken out.
    #[inline(always)]
    pub(crate) fn are_there(&self) -> bool {
        self.0.load(Relaxed) != 0
    }

    /// So many were taken out.
    pub(crate) fn taken(&self, count: u32) {
        self.0.fetch_sub(count, Relaxed);
    }
}
