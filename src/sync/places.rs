//! Places: the bound of a pipe (rule 3.1).
//!
//! # Protocol
//!
//! A place is taken before an operation is handed to the engine, or an event posted, and given back when the event is
//! harvested; so a completion always has one.
//!
//! A place is *opened* when it is needed for the first time, while there are fewer than the capacity: so the number of
//! open places is also the most that were ever taken at once, and nothing has to be compared for that on the fast path.
//! How many are free and how many are open is one word: at no instant are more taken than there are, whatever takes,
//! gives back and resizes at the same time. A place is taken with compare-and-exchange, never by adding first and
//! looking afterwards: a refused call must not make another call see a full pipe that was not full at any instant.
//!
//! A thread that opens places holds a lock, as one does that changes the capacity: so the capacity that it has read
//! still holds when it changes the word.
//!
//! All accesses are Relaxed: the words guard no memory, and a thread sees what happened before in its own order; what
//! one thread gives back and another is told of, the lane's lock carries over. A thread that goes alone (`bias`) need
//! not exchange.
//!
//! `tests/loom/` runs this file under loom.

use super::access::Access;
use super::atomic::Ordering::Relaxed;
use super::atomic::{AtomicU32, AtomicU64, plain64};
use super::lock::Mutex;

/// The places of a pipe.
pub(crate) struct Places {
    /// How many are open, in the upper half, and how many of these are free.
    word: AtomicU64,
    capacity: AtomicU32,
    /// The most that were open before the capacity was reduced.
    most_before: AtomicU32,
    /// For threads that open places or change the capacity.
    changing: Mutex<()>,
}

const SHIFT: u32 = 32;

fn free(word: u64) -> u32 {
    word as u32
}

fn open(word: u64) -> u32 {
    (word >> SHIFT) as u32
}

fn taken(word: u64) -> u32 {
    open(word) - free(word)
}

fn pack(open: u32, free: u32) -> u64 {
    u64::from(open) << SHIFT | u64::from(free)
}

impl Places {
    /// No places at all.
    pub(crate) fn new() -> Places {
        Places {
            word: AtomicU64::new(0),
            capacity: AtomicU32::new(0),
            most_before: AtomicU32::new(0),
            changing: Mutex::new(()),
        }
    }

    /// So many places, of which none was ever taken. No other thread uses them.
    pub(crate) fn begin(&self, capacity: u32) {
        self.word.store(0, Relaxed);
        self.capacity.store(capacity, Relaxed);
        self.most_before.store(0, Relaxed);
    }

    /// How many places there are.
    pub(crate) fn capacity(&self) -> u32 {
        self.capacity.load(Relaxed)
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> u32 {
        taken(self.word.load(Relaxed))
    }

    /// The most that were ever taken at once.
    pub(crate) fn most(&self) -> u32 {
        open(self.word.load(Relaxed)).max(self.most_before.load(Relaxed))
    }

    /// Takes up to `wanted` places; returns how many, 0 if all are taken.
    #[inline]
    pub(crate) fn take(&self, wanted: u32) -> u32 {
        let mut word = self.word.load(Relaxed);
        while free(word) >= wanted {
            match self.word.compare_exchange_weak(word, word - u64::from(wanted), Relaxed, Relaxed) {
                Ok(_) => return wanted,
                Err(now) => word = now,
            }
        }
        self.open_and_take(wanted)
    }

    /// The same where more have to be opened for it.
    #[cold]
    fn open_and_take(&self, wanted: u32) -> u32 {
        let _changing = self.changing.lock();
        let capacity = self.capacity();
        let mut word = self.word.load(Relaxed);
        loop {
            let n = wanted.min(capacity - taken(word));
            if n == 0 {
                return 0;
            }
            let taken = taken(word) + n;
            let open = open(word).max(taken);
            match self.word.compare_exchange_weak(word, pack(open, open - taken), Relaxed, Relaxed) {
                Ok(_) => return n,
                Err(now) => word = now,
            }
        }
    }

    /// Takes a place, unless all that are open are taken or another thread is at it at the same time.
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
        let _changing = self.changing.lock();
        let mut word = self.word.load(Relaxed);
        loop {
            let taken = taken(word);
            if places < taken {
                return false;
            }
            let open = open(word).min(places);
            match self.word.compare_exchange_weak(word, pack(open, open - taken), Relaxed, Relaxed) {
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        self.most_before.fetch_max(open(word), Relaxed);
        self.capacity.store(places, Relaxed);
        true
    }
}
