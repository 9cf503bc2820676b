//! Who waits in a harvest: in the kernel, or in reserve.
//!
//! # Protocol
//!
//! A thread that waits does so *in the kernel*, in the engine's descriptor, and there it sees whatever happens. Where
//! all threads run on one processor, one that does is enough: more of them would all be woken for what one will have
//! done before the next one runs, and each of these wake-ups costs as much as a request. So there the others wait *in
//! reserve*, in a futex, until they are *called*. (An I/O completion port knows the same as its concurrency value.)
//!
//! Both counts are in one word. Who wants to wait counts itself in one of them, *then* looks whether there is something
//! to take; who has put something there looks at the counts afterwards (`wake`). If nobody is in the kernel, it calls
//! one of the reserve. To call is to move one from the reserve's count to that of the kernel, *then* to add one to
//! `calls`, and to wake one that waits for that to be more than 0, which takes it away again. Who is called counts as
//! one that was in the kernel and has woken. So a call is for one, who is not called twice, and counts for others from
//! that moment on.
//!
//! Who leaves the reserve unasked (a signal, a timeout) takes itself out of the count. If the reserve is at 0 then,
//! there is a call under way for everyone in it, and it waits for its own.
//!
//! Nobody looks into the kernel while the last who did is busy with what it has found there. If it stays away for long,
//! the watch calls the reserve (`watch`).
//!
//! `tests/loom/` runs this file under loom.

use super::access::{Access, Shared};
use super::atomic::Ordering::{Relaxed, SeqCst};
use super::atomic::{AtomicBool, AtomicU32, AtomicU64, in_order};

/// In `counts`: one that waits in the kernel. These are the lower 32 bits.
const IN_KERNEL: u64 = 1;
/// One that waits in reserve. These are the upper 32 bits.
const IN_RESERVE: u64 = 1 << 32;

/// How the reserve waits: a futex.
pub(crate) trait Reserve {
    /// Why a thread stops waiting although it was not called.
    type Broken;
    /// Waits while `calls` is 0, until `deadline` (CLOCK_MONOTONIC, in nanoseconds) at most. May return early.
    fn wait_for_call(&self, calls: &AtomicU32, deadline: Option<u64>) -> Result<(), Self::Broken>;
    /// Wakes a thread that waits for `calls`.
    fn wake_one(&self, calls: &AtomicU32);
}

/// Where a thread is to wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Spot {
    Kernel,
    Reserve,
}

/// See the module's head.
#[derive(Default)]
pub(crate) struct Sleepers {
    counts: AtomicU64,
    calls: AtomicU32,
    /// One in the kernel is enough. Relaxed: it matters to nothing but speed when it is seen.
    one_looks: AtomicBool,
}

impl Sleepers {
    /// One thread in the kernel is enough, or not.
    pub(crate) fn let_one_look(&self, enough: bool) {
        self.one_looks.store(enough, Relaxed);
    }

    pub(crate) fn does_one_look(&self) -> bool {
        self.one_looks.load(Relaxed)
    }

    /// A thread is about to wait. `in_kernel`: it has to do so there.
    #[inline(always)]
    pub(crate) fn add(&self, in_kernel: bool) -> Spot {
        if !in_kernel && self.one_looks.load(Relaxed) && self.in_kernel() > 0 {
            self.counts.fetch_add(IN_RESERVE, SeqCst);
            Spot::Reserve
        } else {
            self.counts.fetch_add(IN_KERNEL, SeqCst);
            Spot::Kernel
        }
    }

    /// One that waited in the kernel does so no longer.
    #[inline(always)]
    pub(crate) fn remove<A: Access>(&self) {
        if A::SOLE {
            self.counts.store(self.counts.load(Relaxed) - IN_KERNEL, Relaxed);
        } else {
            self.counts.fetch_sub(IN_KERNEL, SeqCst);
            in_order();
        }
    }

    /// A thread that goes alone waits in the kernel.
    #[inline(always)]
    pub(crate) fn add_alone(&self) {
        // Relaxed, as on the other ways alone: a thread that comes then sees it (`bias`).
        self.counts.store(self.counts.load(Relaxed) + IN_KERNEL, Relaxed);
    }

    /// Whether anybody waits.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.counts.load(SeqCst) != 0
    }

    /// How many wait in the kernel, or are about to, or were called.
    #[inline]
    pub(crate) fn in_kernel(&self) -> u32 {
        self.counts.load(SeqCst) as u32
    }

    /// How many wait in reserve.
    #[inline]
    pub(crate) fn in_reserve(&self) -> u32 {
        (self.counts.load(SeqCst) >> 32) as u32
    }

    /// Waits in reserve. Returns when called: then the thread counts as one in the kernel. With an error it counts no
    /// more.
    pub(crate) fn stand_by<R: Reserve>(&self, reserve: &R, deadline: Option<u64>) -> Result<(), R::Broken> {
        while !self.take_call() {
            if let Err(broken) = reserve.wait_for_call(&self.calls, deadline) {
                self.step_out(reserve);
                return Err(broken);
            }
        }
        Ok(())
    }

    /// Leaves the reserve without having been called, or just so: then the thread counts no more.
    pub(crate) fn step_out(&self, reserve: &impl Reserve) {
        if self.change(|counts| (counts >= IN_RESERVE).then(|| counts - IN_RESERVE)) {
            return;
        }
        while !self.take_call() {
            let _ = reserve.wait_for_call(&self.calls, None);
        }
        self.remove::<Shared>();
    }

    /// Calls one of the reserve if nobody is in the kernel.
    #[inline]
    pub(crate) fn call_if_needed(&self, reserve: &impl Reserve) {
        if self.in_reserve() > 0 {
            self.call(reserve, |counts| counts as u32 == 0);
        }
    }

    /// Calls one of the reserve.
    pub(crate) fn call_one(&self, reserve: &impl Reserve) {
        self.call(reserve, |_| true);
    }

    /// Calls the whole reserve.
    pub(crate) fn call_all(&self, reserve: &impl Reserve) {
        while self.in_reserve() > 0 {
            self.call_one(reserve);
        }
    }

    #[cold]
    fn call(&self, reserve: &impl Reserve, is_needed: impl Fn(u64) -> bool) {
        let is_called = self.change(|counts| {
            (counts >= IN_RESERVE && is_needed(counts)).then(|| counts - IN_RESERVE + IN_KERNEL)
        });
        if is_called {
            self.calls.fetch_add(1, SeqCst);
            reserve.wake_one(&self.calls);
        }
    }

    /// Whether everybody who was called has heard it.
    #[cfg(loom)]
    pub(crate) fn has_no_calls(&self) -> bool {
        self.calls.load(SeqCst) == 0
    }

    fn take_call(&self) -> bool {
        let mut calls = self.calls.load(SeqCst);
        while calls > 0 {
            match self.calls.compare_exchange(calls, calls - 1, SeqCst, SeqCst) {
                Ok(_) => return true,
                Err(other) => calls = other,
            }
        }
        false
    }

    /// Changes the counts as `to` says, unless it says no.
    fn change(&self, to: impl Fn(u64) -> Option<u64>) -> bool {
        let mut counts = self.counts.load(SeqCst);
        while let Some(changed) = to(counts) {
            match self.counts.compare_exchange(counts, changed, SeqCst, SeqCst) {
                Ok(_) => return true,
                Err(other) => counts = other,
            }
        }
        false
    }
}
