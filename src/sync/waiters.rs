//! Which threads wait in a harvest: in the kernel, or on standby.
//!
//! # Protocol
//!
//! A thread that waits does so *in the kernel*, in the engine's descriptor, and there it sees whatever happens. Where
//! all threads run on one processor, one that does is enough: more of them would all be woken for what one will have
//! done before the next one runs, and each of these wake-ups costs as much as a request. So there the others wait *on
//! standby*, in a futex, until they are *called*. (An I/O completion port knows the same as its concurrency value.)
//!
//! Both counts are in one word. A thread that is about to wait counts itself in one of them, *then* looks whether there
//! is something to take; one that has put something there looks at the counts afterwards (`wake`). If no thread is in
//! the kernel, it calls one on standby. To call is to move one from the count of those on standby to that of the
//! kernel, *then* to add one to `calls`, and to wake one that waits for that to be more than 0, which takes it away
//! again. The thread that was called counts as one that was in the kernel and has woken. So a call is for one thread,
//! which is not called twice, and counts for others from that moment on.
//!
//! A thread that leaves unasked (a signal, a timeout) takes itself out of the count. If none is on standby by the count
//! then, there is a call under way for each that still is, and it waits for its own.
//!
//! No thread polls the kernel while the last one that did is busy with what it has found there. If it stays away for
//! long, the watchdog calls one on standby (`watchdog`).
//!
//! `tests/loom/` runs this file under loom.

use super::access::{Access, Shared};
use super::atomic::Ordering::{Relaxed, SeqCst};
use super::atomic::{AtomicBool, AtomicU32, AtomicU64, in_order};

/// In `counts`: one that waits in the kernel. These are the lower 32 bits.
const IN_KERNEL: u64 = 1;
/// One that waits on standby. These are the upper 32 bits.
const ON_STANDBY: u64 = 1 << 32;

/// How threads wait on standby: in a futex.
pub(crate) trait Standby {
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
    Standby,
}

/// See the module's head.
#[derive(Default)]
pub(crate) struct Waiters {
    counts: AtomicU64,
    calls: AtomicU32,
    /// One in the kernel is enough. Relaxed: when it is seen matters to nothing but speed.
    one_waits: AtomicBool,
}

impl Waiters {
    /// One thread in the kernel is enough, or not.
    pub(crate) fn let_one_wait(&self, enough: bool) {
        self.one_waits.store(enough, Relaxed);
    }

    pub(crate) fn does_one_wait(&self) -> bool {
        self.one_waits.load(Relaxed)
    }

    /// A thread is about to wait. `in_kernel`: it has to do so there.
    #[inline(always)]
    pub(crate) fn add(&self, in_kernel: bool) -> Spot {
        if !in_kernel && self.one_waits.load(Relaxed) && self.in_kernel() > 0 {
            self.counts.fetch_add(ON_STANDBY, SeqCst);
            Spot::Standby
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
    pub(crate) fn add_sole(&self) {
        // Relaxed, as on the other ways alone: a thread that comes then sees it (`bias`).
        self.counts.store(self.counts.load(Relaxed) + IN_KERNEL, Relaxed);
    }

    /// Whether a thread waits.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.counts.load(SeqCst) != 0
    }

    /// How many wait in the kernel, or are about to, or were called.
    #[inline]
    pub(crate) fn in_kernel(&self) -> u32 {
        self.counts.load(SeqCst) as u32
    }

    /// How many wait on standby.
    #[inline]
    pub(crate) fn on_standby(&self) -> u32 {
        (self.counts.load(SeqCst) >> 32) as u32
    }

    /// Waits on standby. Returns when called: then the thread counts as one in the kernel. With an error it counts no
    /// more.
    pub(crate) fn wait_on_standby<R: Standby>(
        &self,
        standby: &R,
        deadline: Option<u64>,
    ) -> Result<(), R::Broken> {
        while !self.take_call() {
            if let Err(broken) = standby.wait_for_call(&self.calls, deadline) {
                self.step_out(standby);
                return Err(broken);
            }
        }
        Ok(())
    }

    /// Leaves standby without having been called, or just so: then the thread counts no more.
    pub(crate) fn step_out(&self, standby: &impl Standby) {
        if self.change(|counts| (counts >= ON_STANDBY).then(|| counts - ON_STANDBY)) {
            return;
        }
        while !self.take_call() {
            let _ = standby.wait_for_call(&self.calls, None);
        }
        self.remove::<Shared>();
    }

    /// Calls one on standby if no thread is in the kernel.
    #[inline]
    pub(crate) fn call_if_needed(&self, standby: &impl Standby) {
        if self.on_standby() > 0 {
            self.call(standby, |counts| counts as u32 == 0);
        }
    }

    /// Calls one on standby.
    pub(crate) fn call_one(&self, standby: &impl Standby) {
        self.call(standby, |_| true);
    }

    /// Calls all on standby.
    pub(crate) fn call_all(&self, standby: &impl Standby) {
        while self.on_standby() > 0 {
            self.call_one(standby);
        }
    }

    #[cold]
    fn call(&self, standby: &impl Standby, is_needed: impl Fn(u64) -> bool) {
        let is_called = self.change(|counts| {
            (counts >= ON_STANDBY && is_needed(counts)).then(|| counts - ON_STANDBY + IN_KERNEL)
        });
        if is_called {
            self.calls.fetch_add(1, SeqCst);
            standby.wake_one(&self.calls);
        }
    }

    /// Whether all that were called have heard it.
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
