//! The bias: while one thread of the application makes all the calls, its fast path needs no lock.
//!
//! # Protocol
//!
//! The bias belongs to the first thread of the application that comes to use a pipe or an attachment, its *home*. While
//! that is the only one, it goes the fast path *alone*: without locks, and without any access that other processors
//! take part in. When a second thread comes, all threads lock from then on, for good: the home is SHARED. A thread of
//! the library's own only *revokes* the bias for as long as it is at work. The slow path locks, whichever thread goes
//! it; but first the thread makes sure that it is *admitted*: that home is the calling thread, or SHARED, or that the
//! thread is the one that has revoked the bias.
//!
//! `owner` is the thread that may go alone now, if any. It sets `busy`, *then* looks whether `owner` still is itself,
//! goes its way, and clears `busy`. A thread that revokes the bias, or comes to share, clears `owner`, *then* waits
//! until `busy` is clear, and has the place for itself. The first half of that are two plain accesses, which the
//! processor may exchange; so in the second half the kernel makes a memory barrier happen in the owner's thread,
//! between the other two (membarrier(2)): either the owner sees that it is the owner no more, or the other one sees
//! that it is busy. Where there is no such call, the home is SHARED from the beginning.
//!
//! What the owner did alone is seen by the thread that waited: `busy` is cleared with Release and read with Acquire.
//! What others did is seen by the owner that is given its right back: `owner` is written with Release and read with
//! Acquire. A thread that finds SHARED has seen, by the same means, all that was done before by one that went alone.
//!
//! A thread that clears and gives back holds a lock (`access`). `tests/loom/` runs this file under loom.

use super::atomic::{AtomicBool, AtomicUsize, Ordering, light_fence};

/// In `home`: no thread has come yet.
const NOBODY: usize = 0;
/// In `home`: several threads have come.
const SHARED: usize = 1;

/// See the module's head. Threads are told apart by their thread pointers, which are addresses.
pub(crate) struct Bias {
    owner: AtomicUsize,
    busy: AtomicBool,
    home: AtomicUsize,
    /// The thread of the library's own that has revoked the bias, or 0.
    revoker: AtomicUsize,
}

impl Bias {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Bias {
        Bias {
            owner: AtomicUsize::new(0),
            busy: AtomicBool::new(false),
            home: AtomicUsize::new(NOBODY),
            revoker: AtomicUsize::new(0),
        }
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Bias {
        Bias {
            owner: AtomicUsize::new(0),
            busy: AtomicBool::new(false),
            home: AtomicUsize::new(NOBODY),
            revoker: AtomicUsize::new(0),
        }
    }

    /// Whether the thread `me` may go alone now; then it is to call `leave` soon.
    #[inline(always)]
    pub(crate) fn enter(&self, me: usize) -> bool {
        // Relaxed: whether `busy` is this thread's to write.
        if self.owner.load(Ordering::Relaxed) != me {
            return false;
        }
        // Relaxed: `light_fence`, and the barrier of the other one, give the order.
        self.busy.store(true, Ordering::Relaxed);
        light_fence();
        // Acquire pairs with the Release in `give_back` and `claim`.
        if self.owner.load(Ordering::Acquire) == me {
            return true;
        }
        self.leave();
        false
    }

    /// The thread does not go alone any more.
    #[inline(always)]
    pub(crate) fn leave(&self) {
        // Release pairs with the Acquire in `stop`.
        self.busy.store(false, Ordering::Release);
    }

    /// Whether all threads lock.
    #[inline(always)]
    pub(crate) fn is_shared(&self) -> bool {
        // Acquire pairs with the Release in `share`.
        self.home.load(Ordering::Acquire) == SHARED
    }

    /// Whether the slow path is open to the thread `me`, as things are.
    #[inline(always)]
    pub(crate) fn is_admitted(&self, me: usize) -> bool {
        // Acquire pairs with the Release in `share`; what `me` wrote, and whether it has revoked the bias, it knows
        // itself.
        let home = self.home.load(Ordering::Acquire);
        home == SHARED || home == me || self.revoker.load(Ordering::Relaxed) == me
    }

    /// Whether the thread `me` is at home here.
    pub(crate) fn is_home(&self, me: usize) -> bool {
        // Relaxed: what `me` wrote, it knows itself.
        self.home.load(Ordering::Relaxed) == me
    }

    /// Back to the beginning, in a forked child.
    pub(crate) fn forget(&self) {
        self.owner.store(0, Ordering::Relaxed);
        self.busy.store(false, Ordering::Relaxed);
        self.home.store(NOBODY, Ordering::Relaxed);
        self.revoker.store(0, Ordering::Relaxed);
    }

    // With the lock of `access` held.

    /// Whether no thread has come yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.home.load(Ordering::Relaxed) == NOBODY
    }

    /// The thread `me` is the first to come.
    pub(crate) fn claim(&self, me: usize) {
        self.home.store(me, Ordering::Relaxed);
        // Release: as `give_back`.
        self.owner.store(me, Ordering::Release);
    }

    /// From now on all threads lock. `barrier` and `pause` as for `stop`.
    pub(crate) fn share(&self, barrier: impl FnOnce(), pause: impl FnMut()) {
        self.stop(barrier, pause);
        // Release pairs with the Acquire in `is_shared` and `is_admitted`.
        self.home.store(SHARED, Ordering::Release);
    }

    /// The thread `me`, of the library's own, has the place for itself until `give_back`; but the thread that is at
    /// home may go the slow path.
    pub(crate) fn revoke(&self, me: usize, barrier: impl FnOnce(), pause: impl FnMut()) {
        // Relaxed: for this thread's own eyes, here and in `give_back`.
        self.revoker.store(me, Ordering::Relaxed);
        self.stop(barrier, pause);
    }

    /// The bias is given back.
    pub(crate) fn give_back(&self) {
        self.revoker.store(0, Ordering::Relaxed);
        let home = self.home.load(Ordering::Relaxed);
        if home != SHARED {
            // Release pairs with the Acquire in `enter`.
            self.owner.store(home, Ordering::Release);
        }
    }

    /// No thread goes alone from now on. `barrier` makes a memory barrier in all threads; `pause` is called while one
    /// still does.
    fn stop(&self, barrier: impl FnOnce(), mut pause: impl FnMut()) {
        // Relaxed: written with the lock of `access` held.
        if self.owner.load(Ordering::Relaxed) == 0 {
            return;
        }
        // Relaxed: `barrier` gives the order.
        self.owner.store(0, Ordering::Relaxed);
        barrier();
        // Acquire pairs with the Release in `leave`.
        while self.busy.load(Ordering::Acquire) {
            pause();
        }
    }
}
