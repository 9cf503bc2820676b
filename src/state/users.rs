//! The users of a pipe: threads that it cannot be taken away from, and workers that are at work for it.
//!
//! A thread counts itself, *then* sees whether the pipe is being closed. The one that closes it says so in the same
//! word, *then* looks at the count: so one of them sees the other. It waits until the count is 0; a thread that leaves
//! takes the lock `quiet` before it wakes that one, which either waits already then, or has not looked at the count
//! yet.

use crate::sync::access::Sole;
use crate::sync::atomic::light_fence;
use crate::sync::lock::{Condvar, Mutex};
use crate::sys::process;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

/// In `count`: the pipe is closed, or being closed.
const CLOSING: u32 = 1 << 31;

/// See the module's head.
pub(crate) struct Users {
    count: AtomicU32,
    /// Operations that are with a worker.
    working: AtomicU32,
    quiet: (Mutex<()>, Condvar),
}

impl Users {
    /// Those of a pipe that is closed.
    pub(crate) const fn new() -> Users {
        Users {
            count: AtomicU32::new(CLOSING),
            working: AtomicU32::new(0),
            quiet: (Mutex::new(()), Condvar::new()),
        }
    }

    /// The pipe can be entered from now on.
    pub(crate) fn open(&self) {
        // Release pairs with the SeqCst in `enter`: the pipe is whole before it can be entered.
        self.count.fetch_and(!CLOSING, Release);
    }

    /// A thread enters. False if the pipe is closed, or being closed: then it is to leave at once.
    #[inline(always)]
    pub(crate) fn enter(&self) -> bool {
        self.count.fetch_add(1, SeqCst) & CLOSING == 0
    }

    /// A thread leaves; returns how many are left. `wake` is called if the pipe is being closed, and others are to
    /// leave it, too.
    #[inline]
    pub(crate) fn leave(&self, wake: impl FnOnce()) -> u32 {
        // SeqCst: see `calls::watchdog`; and as Release it pairs with the Acquire of `wait_for_users`, after which what
        // this thread has used is taken apart.
        let left = self.count.fetch_sub(1, SeqCst) - 1;
        if left & CLOSING != 0 {
            self.leave_closing(left, wake);
        }
        left
    }

    #[cold]
    fn leave_closing(&self, left: u32, wake: impl FnOnce()) {
        let _guard = self.quiet.0.lock();
        if left == CLOSING {
            self.quiet.1.notify_all();
        } else {
            wake();
        }
    }

    /// A thread that goes alone, and has found the pipe to be open, enters.
    #[inline(always)]
    pub(crate) fn enter_sole(&self, _: &Sole) {
        // Relaxed, here and in `leave_sole`: no other thread changes it now (`bias`).
        self.count.store(self.count.load(Relaxed) + 1, Relaxed);
    }

    /// It leaves, and still goes alone.
    #[inline(always)]
    pub(crate) fn leave_sole(&self, _: &Sole) {
        self.count.store(self.count.load(Relaxed) - 1, Relaxed);
        // With the barrier of the watchdog: see there.
        light_fence();
    }

    #[inline]
    pub(crate) fn is_closing(&self) -> bool {
        self.count.load(SeqCst) & CLOSING != 0
    }

    /// How many threads there are.
    pub(crate) fn count(&self) -> u32 {
        self.count.load(SeqCst) & !CLOSING
    }

    /// Whether there is but one, and the pipe is not being closed.
    pub(crate) fn is_only_one(&self) -> bool {
        self.count.load(SeqCst) == 1
    }

    /// No thread enters from now on, but some may be there. False if another thread closes the pipe already.
    pub(crate) fn begin_closing(&self) -> bool {
        self.count.fetch_or(CLOSING, SeqCst) & CLOSING == 0
    }

    /// Waits until no thread is there any more; `wake` has one of them leave. Threads that wait in the kernel where the
    /// pipe is lost cannot be woken: then it waits only for the others. False if some are left.
    pub(crate) fn wait_for_users(&self, is_lost: bool, wake: impl Fn()) -> bool {
        // Acquire pairs with the Release in `leave`.
        self.wait_until(is_lost, wake, || self.count.load(Acquire) == CLOSING)
    }

    /// Waits for the workers.
    pub(crate) fn wait_for_workers(&self, wake: impl Fn()) {
        // Acquire pairs with the Release in `end_work`.
        self.wait_until(false, wake, || self.working.load(Acquire) == 0);
    }

    fn wait_until(&self, is_lost: bool, wake: impl Fn(), condition: impl Fn() -> bool) -> bool {
        /// In nanoseconds.
        const PATIENCE: u64 = 20_000_000;
        let deadline = is_lost.then(|| process::now() + PATIENCE);
        let mut guard = self.quiet.0.lock();
        while !condition() {
            wake();
            if !self.quiet.1.wait(&mut guard, deadline) {
                return condition();
            }
        }
        true
    }

    /// An operation of the pipe goes to a worker.
    pub(crate) fn begin_work(&self) {
        // Relaxed: it happens under the lock of an attachment, which the closing thread takes before it looks.
        self.working.fetch_add(1, Relaxed);
    }

    /// It is back, and its event is in a lane. After this the caller does not touch the pipe.
    pub(crate) fn end_work(&self) {
        let _guard = self.quiet.0.lock();
        // Release pairs with the Acquire in `wait_for_workers`.
        if self.working.fetch_sub(1, Release) == 1 {
            self.quiet.1.notify_all();
        }
    }
}
