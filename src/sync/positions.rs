//! The positions of files, which several descriptors and threads may share.
//!
//! The kernel has a lock for the position of an open file. A worker that reads or writes there may hold it for as long
//! as a disk takes, and a thread of the program that then made the same kind of call, though one that does not wait for
//! the disk, would wait for that lock. So the program's threads *attempt* such a call only while no worker is at work
//! at the position of that file (as far as a hash of its identity tells), and give it to a worker otherwise.
//!
//! # Protocol
//!
//! A word holds the number of attempts and of workers. A thread adds itself, in one step with finding out who is there:
//! an attempt that finds a worker leaves again; a worker that finds attempts waits until there are none, which is soon:
//! they do not wait for anything. Acquire and Release order nothing but the calls themselves, which the kernel orders.
//!
//! `tests/loom/` runs this file under loom.

use super::atomic::AtomicU32;
use super::atomic::Ordering::{AcqRel, Acquire};
use super::identity_locks::{Guard, IdentityLocks};
use crate::sys::process;
use core::ffi::c_int;

#[cfg(not(loom))]
const WORDS: usize = 64;
#[cfg(loom)]
const WORDS: usize = 1;
const ATTEMPT: u32 = 1;
const ATTEMPTS: u32 = 0xffff;
const WORKER: u32 = 0x1_0000;

/// See the module's head.
pub(crate) struct Positions {
    words: [AtomicU32; WORDS],
    /// Of files in memory: the kernel has no lock for the position of those.
    nameless: IdentityLocks,
}

/// An attempt, or a worker, is at work at a position.
pub(crate) struct InUse<'a> {
    word: &'a AtomicU32,
    count: u32,
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        self.word.fetch_sub(self.count, AcqRel);
    }
}

impl Positions {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Positions {
        Positions { words: [const { AtomicU32::new(0) }; WORDS], nameless: IdentityLocks::new() }
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Positions {
        Positions { words: core::array::from_fn(|_| AtomicU32::new(0)), nameless: IdentityLocks::new() }
    }

    fn word(&self, identity: c_int) -> Option<&AtomicU32> {
        self.words.get(identity as usize % WORDS)
    }

    /// A thread of the program is about to use the position of a file in a call that does not wait. `None`: it must
    /// not.
    pub(crate) fn attempt(&self, identity: c_int) -> Option<InUse<'_>> {
        let word = self.word(identity)?;
        let before = word.fetch_add(ATTEMPT, AcqRel);
        let in_use = InUse { word, count: ATTEMPT };
        (before < WORKER).then_some(in_use)
    }

    /// A worker is about to do so in a call that may wait.
    pub(crate) fn work(&self, identity: c_int) -> Option<InUse<'_>> {
        let word = self.word(identity)?;
        word.fetch_add(WORKER, AcqRel);
        while word.load(Acquire) & ATTEMPTS != 0 {
            process::pause();
        }
        Some(InUse { word, count: WORKER })
    }

    /// The same for a file in memory: one worker at a time.
    pub(crate) fn work_alone(&self, identity: c_int) -> Guard<'_> {
        self.nameless.lock(identity)
    }
}
