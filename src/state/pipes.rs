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

    /// A pipe that was not in use, marked as in use. One of C never becomes one of Rust: a thread that comes late to a
    /// pipe that C has closed would find it there, under the same number.
    pub(crate) fn take(
        &self,
        ops: &'static Ops,
        watchdog: &'static Watchdog,
        is_typed: bool,
    ) -> Result<&'static Pipe> {
        let unused = |pipe: &&Pipe| pipe.is_typed() == is_typed && pipe.take_into_use();
        if let Some(pipe) = self.iter().find(unused) {
            return Ok(pipe);
        }
        let fresh = memory::allocate(Pipe::new(self.count.fetch_add(1, Relaxed), ops, watchdog, is_typed))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::pool::Pool;

    #[test]
    fn a_pipe_is_used_again_by_its_own_side_only() {
        static OPS: Ops = Pool::new();
        static WATCHDOG: Watchdog = Watchdog::new();
        static PIPES: Pipes = Pipes::new();
        let take = |is_typed| PIPES.take(&OPS, &WATCHDOG, is_typed).unwrap();
        let of_c = take(false);
        of_c.end();
        let of_rust = take(true);
        assert!(!core::ptr::eq(of_c, of_rust) && core::ptr::eq(of_c, take(false)));
        of_rust.end();
        assert!(!core::ptr::eq(of_rust, take(false)) && core::ptr::eq(of_rust, take(true)));
    }
}
