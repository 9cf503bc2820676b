//! Alone: while one thread of the application makes all the calls, its short ways need no lock.
//!
//! # Protocol
//!
//! The first thread of the application that comes to use a pipe or an attachment is at *home* here. While it is the only
//! one, it goes the short ways (`epoll::fast`, `harvest`) *alone*: without locks, and without any access that other
//! processors take part in. When a second one comes all lock, for good: the home is SHARED. A thread of the library's own
//! only *visits*: it stops the other from going alone for as long as it is at work. All general ways lock, whoever goes
//! them; but first they make sure that they are *admitted*: that home is the calling thread, or SHARED, or that it visits.
//!
//! `owner` is the thread that may go alone now, if any. It sets `busy`, *then* looks whether `owner` still is itself, goes
//! its way, and clears `busy`. Who visits, or comes to share, clears `owner`, *then* waits until `busy` is clear, and has
//! the place for itself. The first half of that are two plain accesses, which the processor may exchange; so in the second half
//! the kernel makes a memory barrier happen in the owner's thread, between the other two (membarrier(2)): either the
//! owner sees that it is the owner no more, or the other one sees that it is busy. Where there is no such call, the home is
//! SHARED from the beginning.
//!
//! What the owner did alone is seen by who waited: `busy` is cleared with Release and read with Acquire. What others did is
//! seen by the owner that is given its right back: `owner` is written with Release and read with Acquire. Who finds SHARED
//! has seen, by the same means, all that was done before by somebody alone.
//!
//! Who clears and gives back holds a lock (`visit`). `tests/loom/` runs this file under loom.

use crate::sync::{AtomicBool, AtomicUsize, Ordering, light_fence};

/// In `home`: nobody has come yet.
const NOBODY: usize = 0;
/// In `home`: several threads have come.
const SHARED: usize = 1;

/// How a short way reaches what locks guard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    /// Alone: nobody else is there.
    Alone,
    /// Others may be there: under the locks, with accesses that all take part in.
    Shared,
}

/// See the module's head. Threads are told apart by their thread pointers, which are addresses.
pub(crate) struct Solo {
    owner: AtomicUsize,
    busy: AtomicBool,
    home: AtomicUsize,
    /// The thread of the library's own that visits, or 0.
    visitor: AtomicUsize,
}

impl Solo {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Solo {
        Solo {
            owner: AtomicUsize::new(0),
            busy: AtomicBool::new(false),
            home: AtomicUsize::new(NOBODY),
            visitor: AtomicUsize::new(0),
        }
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Solo {
        Solo {
            owner: AtomicUsize::new(0),
            busy: AtomicBool::new(false),
            home: AtomicUsize::new(NOBODY),
            visitor: AtomicUsize::new(0),
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
        // Acquire pairs with the Release in `end_visit` and `claim`.
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

    /// Whether the general ways are open to the thread `me`, as things are.
    #[inline(always)]
    pub(crate) fn is_admitted(&self, me: usize) -> bool {
        // Acquire pairs with the Release in `share`; what `me` wrote, and whether it visits, it knows itself.
        let home = self.home.load(Ordering::Acquire);
        home == SHARED || home == me || self.visitor.load(Ordering::Relaxed) == me
    }

    /// Back to the beginning, in a forked child.
    pub(crate) fn forget(&self) {
        self.owner.store(0, Ordering::Relaxed);
        self.busy.store(false, Ordering::Relaxed);
        self.home.store(NOBODY, Ordering::Relaxed);
        self.visitor.store(0, Ordering::Relaxed);
    }

    // With the lock of `visit` held.

    /// Whether nobody has come yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.home.load(Ordering::Relaxed) == NOBODY
    }

    /// The thread `me` is the first to come.
    pub(crate) fn claim(&self, me: usize) {
        self.home.store(me, Ordering::Relaxed);
        // Release: as `end_visit`.
        self.owner.store(me, Ordering::Release);
    }

    /// From now on all threads lock. `barrier` and `pause` as for `stop`.
    pub(crate) fn share(&self, barrier: impl FnOnce(), pause: impl FnMut()) {
        self.stop(barrier, pause);
        // Release pairs with the Acquire in `is_shared` and `is_admitted`.
        self.home.store(SHARED, Ordering::Release);
    }

    /// The thread `me`, of the library's own, has the place for itself until `end_visit`; but who is at home may go the
    /// general ways.
    pub(crate) fn visit(&self, me: usize, barrier: impl FnOnce(), pause: impl FnMut()) {
        // Relaxed: for this thread's own eyes, here and in `end_visit`.
        self.visitor.store(me, Ordering::Relaxed);
        self.stop(barrier, pause);
    }

    /// The visit is over.
    pub(crate) fn end_visit(&self) {
        self.visitor.store(0, Ordering::Relaxed);
        let home = self.home.load(Ordering::Relaxed);
        if home != SHARED {
            // Release pairs with the Acquire in `enter`.
            self.owner.store(home, Ordering::Release);
        }
    }

    /// Nobody goes alone from now on. `barrier` makes a memory barrier in all threads; `pause` is called while somebody is
    /// still at it.
    fn stop(&self, barrier: impl FnOnce(), mut pause: impl FnMut()) {
        // Relaxed: written with the lock of `visit` held.
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
