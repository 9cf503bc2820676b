//! Locks: a futex word each.
//!
//! # Protocol
//!
//! A word is FREE, HELD, or CONTENDED: held, and a thread may sleep for it. A thread that finds it FREE makes it HELD.
//! One that does not, makes it CONTENDED and sleeps as long as it is that; when it gets the lock after having slept it
//! leaves CONTENDED there, since others may sleep too. A thread that unlocks makes the word FREE, and wakes one sleeper
//! if it was CONTENDED. The kernel compares the word and puts the thread to sleep in one step, so no wake-up is lost.
//!
//! A condition variable is a count of its notifications. A thread that waits reads the count while it holds the lock,
//! unlocks, and sleeps as long as the count is still that. A thread that notifies adds one, then wakes.
//!
//! The lock is taken with Acquire and given back with Release: these two are each other's partners.
//!
//! Why not a crate: parking_lot keeps the waiters of all its locks in one table of the process. A forked child gets a
//! copy of it with the entries of threads that it does not have; and a thread that waits for the first time allocates,
//! which aborts when there is no memory. The standard library's locks are futex words as well, but the thread sanitizer
//! does not see into that library, and an attachment has room for four bytes.
//!
//! `tests/loom/` runs this file under loom.

use super::atomic::{AtomicU32, Ordering};
use crate::sys::futex;
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

const FREE: u32 = 0;
const HELD: u32 = 1;
const CONTENDED: u32 = 2;

/// How often a thread looks again before it sleeps: a lock is mostly held for less time than it takes to sleep and be
/// woken.
#[cfg(not(loom))]
const PATIENCE: u32 = 40;
#[cfg(loom)]
const PATIENCE: u32 = 0;

/// A lock, and nothing that it guards. All zeros is an unlocked one.
#[derive(Default)]
pub(crate) struct RawLock(AtomicU32);

impl RawLock {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> RawLock {
        RawLock(AtomicU32::new(FREE))
    }

    #[cfg(loom)]
    pub(crate) fn new() -> RawLock {
        RawLock(AtomicU32::new(FREE))
    }

    #[inline(always)]
    pub(crate) fn lock(&self) {
        if !self.try_lock() {
            self.lock_slow();
        }
    }

    /// Locks, unless another thread has the lock.
    #[inline(always)]
    pub(crate) fn try_lock(&self) -> bool {
        // Acquire: see the module's head.
        self.0.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Unlocks. The calling thread holds the lock.
    #[inline(always)]
    pub(crate) fn unlock(&self) {
        // Release: see the module's head.
        if self.0.swap(FREE, Ordering::Release) == CONTENDED {
            futex::wake_one(&self.0);
        }
    }

    /// Back to the beginning, in a forked child, where the thread that had it may not be.
    pub(crate) fn forget(&self) {
        self.0.store(FREE, Ordering::Relaxed);
    }

    #[cold]
    #[inline(never)]
    fn lock_slow(&self) {
        for _ in 0..PATIENCE {
            // Relaxed: `try_lock` decides.
            match self.0.load(Ordering::Relaxed) {
                FREE if self.try_lock() => return,
                CONTENDED => break,
                _ => core::hint::spin_loop(),
            }
        }
        while self.0.swap(CONTENDED, Ordering::Acquire) != FREE {
            // An error is a signal or a kernel that refuses the call: the loop looks again.
            let _ = futex::wait(&self.0, CONTENDED, None);
        }
    }
}

/// A value that only the thread which holds the lock can reach.
#[derive(Default)]
pub(crate) struct Mutex<T> {
    lock: RawLock,
    value: UnsafeCell<T>,
}

// SAFETY: one thread at a time reaches the value, through a guard.
unsafe impl<T: Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    #[cfg(not(loom))]
    pub(crate) const fn new(value: T) -> Mutex<T> {
        Mutex { lock: RawLock::new(), value: UnsafeCell::new(value) }
    }

    #[cfg(loom)]
    pub(crate) fn new(value: T) -> Mutex<T> {
        Mutex { lock: RawLock::new(), value: UnsafeCell::new(value) }
    }

    #[inline(always)]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.lock.lock();
        MutexGuard { mutex: self, here: PhantomData }
    }

    /// Back to the beginning, in a forked child: as it is there, no thread has it.
    pub(crate) fn forget(&self) {
        self.lock.forget();
    }

    /// Locks, unless another thread has the lock.
    #[inline(always)]
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.lock.try_lock().then(|| MutexGuard { mutex: self, here: PhantomData })
    }
}

/// Holds a lock for as long as it lives, in the thread that made it.
pub(crate) struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    here: PhantomData<*const ()>,
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the lock is held.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held, and the guard borrowed for writing.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        self.mutex.lock.unlock();
    }
}

/// A condition variable. It is used with one mutex.
#[derive(Default)]
pub(crate) struct Condvar(AtomicU32);

impl Condvar {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Condvar {
        Condvar(AtomicU32::new(0))
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Condvar {
        Condvar(AtomicU32::new(0))
    }

    /// Unlocks, waits to be notified until `deadline` (CLOCK_MONOTONIC, in nanoseconds) at most, and locks again. It
    /// may return early, so the caller looks at what it waits for; false when the deadline has passed.
    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>, deadline: Option<u64>) -> bool {
        // Relaxed, here and in the two below: a thread that notifies has held the lock since this one looked at what it
        // waits for, or this one holds it since, and its count is seen.
        let count = self.0.load(Ordering::Relaxed);
        let lock = &guard.mutex.lock;
        lock.unlock();
        let outcome = futex::wait(&self.0, count, deadline);
        lock.lock();
        outcome != Err(crate::sys::Errno::ETIMEDOUT)
    }

    pub(crate) fn notify_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        futex::wake_one(&self.0);
    }

    pub(crate) fn notify_all(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        futex::wake_all(&self.0);
    }
}
