//! All pipes of a world.

use super::pipe::Pipe;
use super::watchdog::Watchdog;
use crate::queue::op::Ops;
use crate::sys::{Result, memory};
use core::ptr::null_mut;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicPtr, AtomicU32};

/// A list that only grows; a pipe that is not in use is used again.
pub(crate) struct Pipes {
    first: AtomicPtr<Pipe>,
    count: AtomicU32,
}

impl Pipes {
    pub(crate) const fn new() -> Pipes {
        Pipes { first: AtomicPtr::new(null_mut()), count: AtomicU32::new(0) }
    }

    /// Those that are in use.
    pub(crate) fn in_use(&self) -> impl Iterator<Item = &'static Pipe> {
        self.iter().filter(|pipe| pipe.is_in_use())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static Pipe> {
        // Acquire pairs with the Release in `take`: a pipe is whole before it is seen.
        // SAFETY: pipes are never freed.
        let first = unsafe { self.first.load(Acquire).as_ref() };
        // SAFETY: as above; `next` is written before the pipe is seen.
        core::iter::successors(first, |pipe| unsafe { pipe.next.load(Relaxed).as_ref() })
    }

    /// A pipe that was not in use, marked as in use.
    pub(crate) fn take(&self, ops: &'static Ops, watchdog: &'static Watchdog) -> Result<&'static Pipe> {
        let unused = |pipe: &&Pipe| pipe.take_into_use();
        if let Some(pipe) = self.iter().find(unused) {
            return Ok(pipe);
        }
        let fresh = memory::allocate(Pipe::new(self.count.fetch_add(1, Relaxed), ops, watchdog))?;
        // SAFETY: just made, never freed.
        let pipe: &'static Pipe = unsafe { &*fresh };
        let mut first = self.first.load(Relaxed);
        loop {
            pipe.next.store(first, Relaxed);
            // Release pairs with the Acquire in `iter`.
            match self.first.compare_exchange(first, fresh, Release, Relaxed) {
                Ok(_) => return Ok(pipe),
                Err(other) => first = other,
            }
        }
    }
}
