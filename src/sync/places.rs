//! Places: the bound of a pipe (rule 3.1).
//!
//! # Protocol
//!
//! A place is taken before an operation is handed to the engine, or an event posted, and given back when the event is
//! harvested; so a completion always has one. How many are free and how many there are is one word: at no instant are
//! more taken than there are, whatever takes, gives back and resizes at the same time. A place is taken with
//! compare-and-exchange, never by adding first and looking afterwards: a refused call must not make another call see a
//! full pipe that was not full at any instant.
//!
//! All accesses are Relaxed: the word guards no memory, and a thread sees what happened before in its own order; what
//! one thread gives back and another is told of, the lane's lock carries over. A thread that goes alone (`bias`) need
//! not exchange.
//!
//! `tests/loom/` runs this file under loom.

use super::access::Access;
use super::atomic::Ordering::Relaxed;
use super::atomic::{AtomicU64, plain64};

/// The places of a pipe.
pub(crate) struct Places {
    /// The capacity, in the upper half, and how many are free.
    word: AtomicU64,
}

const SHIFT: u32 = 32;

fn free(word: u64) -> u32 {
    word as u32
}

fn capacity(word: u64) -> u32 {
    (word >> SHIFT) as u32
}

fn taken(word: u64) -> u32 {
    capacity(word) - free(word)
}

impl Places {
    /// No places at all.
    pub(crate) fn new() -> Places {
        Places { word: AtomicU64::new(0) }
    }

    /// How many places there are.
    pub(crate) fn capacity(&self) -> u32 {
        capacity(self.word.load(Relaxed))
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> u32 {
        taken(self.word.load(Relaxed))
    }

    /// Takes up to `wanted` places; returns how many, 0 if all are taken.
    #[inline]
    pub(crate) fn take(&self, wanted: u32) -> u32 {
        let mut word = self.word.load(Relaxed);
        loop {
            let n = wanted.min(free(word));
            if n == 0 {
                return 0;
            }
            match self.word.compare_exchange_weak(word, word - u64::from(n), Relaxed, Relaxed) {
                Ok(_) => return n,
                Err(now) => word = now,
            }
        }
    }

    /// Takes a place, unless all are taken or another thread is at it at the same time.
    #[inline(always)]
    pub(crate) fn take_at_once<A: Access>(&self) -> bool {
        if A::SOLE {
            // SAFETY: no other thread reaches it meanwhile.
            let is_free = free(unsafe { plain64(&self.word) }) != 0;
            if is_free {
                self.word.store(self.word.load(Relaxed) - 1, Relaxed);
            }
            return is_free;
        }
        let word = self.word.load(Relaxed);
        if free(word) == 0 {
            return false;
        }
        self.word.compare_exchange(word, word - 1, Relaxed, Relaxed).is_ok()
    }

    /// Gives places back.
    #[inline(always)]
    pub(crate) fn give<A: Access>(&self, n: u32) {
        let n = u64::from(n);
        if A::SOLE {
            self.word.store(self.word.load(Relaxed) + n, Relaxed);
        } else {
            self.word.fetch_add(n, Relaxed);
        }
    }

    /// Changes how many there are; false if more are taken.
    pub(crate) fn resize(&self, places: u32) -> bool {
        let mut word = self.word.load(Relaxed);
        loop {
            if places < taken(word) {
                return false;
            }
            let resized = u64::from(places) << SHIFT | u64::from(places - taken(word));
            match self.word.compare_exchange_weak(word, resized, Relaxed, Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
    }
}
