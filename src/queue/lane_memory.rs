//! What a lane has from the time when it gets its first owner: the slots of its ring, and what the owner counts.

use super::counts::Counts;
use crate::sync::ring::{SLOTS, Slot};
use crate::sys::memory;
use core::sync::atomic::AtomicPtr;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// See the module's head.
pub(super) struct Memory {
    pub(super) slots: [Slot; SLOTS],
    pub(super) counts: Counts,
}

impl Memory {
    const fn new() -> Memory {
        Memory { slots: [const { Slot::new() }; SLOTS], counts: Counts::new() }
    }
}

/// Stands in for one that is not there; nothing is ever written to it.
static NONE: Memory = Memory::new();

/// The memory of a lane, or none yet. Once made, it is not freed while the lane lives.
#[derive(Default)]
pub(super) struct OfLane(AtomicPtr<Memory>);

impl OfLane {
    /// Whether it is there. For the lane's owner.
    #[inline]
    pub(super) fn is_there(&self) -> bool {
        // Relaxed: the owner asks, and has made it itself or found it under the lock.
        !self.0.load(Relaxed).is_null()
    }

    /// The memory, for any thread.
    #[inline(always)]
    pub(super) fn get(&self) -> Option<&Memory> {
        // Acquire pairs with the Release in `make`.
        // SAFETY: null, or memory that is not freed.
        unsafe { self.0.load(Acquire).as_ref() }
    }

    /// The slots to take events out of. Without any, nothing is ever in the ring.
    #[inline(always)]
    pub(super) fn slots_to_read(&self) -> &[Slot; SLOTS] {
        &self.get().unwrap_or(&NONE).slots
    }

    /// The memory of a lane whose ring had room, or events, a moment ago. For the lane's owner.
    #[inline(always)]
    pub(super) fn in_use(&self) -> &Memory {
        debug_assert!(self.is_there());
        // Relaxed: as in `is_there`.
        // SAFETY: a ring has room only when this was made; it is not freed.
        unsafe { &*self.0.load(Relaxed) }
    }

    /// Makes it. False: there is no memory.
    #[cold]
    pub(super) fn make(&self) -> bool {
        let Ok(memory) = memory::allocate(Memory::new()) else { return false };
        // Release pairs with the Acquire in `get`.
        self.0.store(memory, Release);
        true
    }
}
