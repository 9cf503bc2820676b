//! Locks for files, of which there may be any number: one for each file that is in use, by its identity
//! (`nature::identity`).
//!
//! A thread waits only for another that has the same file. What is held is in a small table under a mutex, which is
//! held for a few instructions.
//!
//! `tests/loom/` runs this file under loom.

use super::lock::{Condvar, Mutex};
use core::ffi::c_int;

/// How many files can be held at once: a thread holds two at most.
#[cfg(not(loom))]
const MOST: usize = 64;
#[cfg(loom)]
const MOST: usize = 1;

struct Claim {
    /// The first `count` are held.
    identities: [c_int; MOST],
    count: usize,
    /// Threads that wait for one.
    waiting: usize,
}

/// See the module's head.
pub(crate) struct IdentityLocks {
    held: Mutex<Claim>,
    given_back: Condvar,
}

/// A file is held as long as this value lives.
pub(crate) struct Guard<'a> {
    locks: &'a IdentityLocks,
    identity: c_int,
}

impl IdentityLocks {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> IdentityLocks {
        IdentityLocks {
            held: Mutex::new(Claim { identities: [0; MOST], count: 0, waiting: 0 }),
            given_back: Condvar::new(),
        }
    }

    #[cfg(loom)]
    pub(crate) fn new() -> IdentityLocks {
        IdentityLocks {
            held: Mutex::new(Claim { identities: [0; MOST], count: 0, waiting: 0 }),
            given_back: Condvar::new(),
        }
    }

    /// Holds a file, once no other thread does.
    pub(crate) fn lock(&self, identity: c_int) -> Guard<'_> {
        // It is always needed, so there always is a guard.
        self.lock_if(identity, || true).unwrap_or_else(|| Guard { locks: self, identity })
    }

    /// The same, unless `is_needed` says no. It is asked while no thread holds the file, and must be quick.
    pub(crate) fn lock_if(&self, identity: c_int, is_needed: impl FnOnce() -> bool) -> Option<Guard<'_>> {
        let mut held = self.held.lock();
        while held.count == MOST || held.identities.iter().take(held.count).any(|other| *other == identity) {
            held.waiting += 1;
            self.given_back.wait(&mut held, None);
            held.waiting -= 1;
        }
        if !is_needed() {
            return None;
        }
        let count = held.count;
        if let Some(slot) = held.identities.get_mut(count) {
            *slot = identity;
            held.count += 1;
        }
        Some(Guard { locks: self, identity })
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let mut held = self.locks.held.lock();
        let count = held.count;
        if let Some(index) = held.identities.iter().take(count).position(|other| *other == self.identity) {
            held.identities.swap(index, count - 1);
            held.count -= 1;
        }
        if held.waiting > 0 {
            self.locks.given_back.notify_all();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn one_thread_at_a_time_holds_a_file_and_others_hold_others() {
        let locks = IdentityLocks::new();
        let inside = [const { AtomicUsize::new(0) }; 3];
        let _mine = locks.lock(77);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (locks, inside) = (&locks, &inside);
                scope.spawn(move || {
                    for i in 0..2000 {
                        let file = (thread + i) % 3;
                        let _guard = locks.lock(file as c_int);
                        assert_eq!(inside[file].fetch_add(1, Ordering::SeqCst), 0);
                        inside[file].fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(locks.held.lock().count, 1);
    }

    #[test]
    fn more_files_than_there_is_room_for_wait() {
        let locks = IdentityLocks::new();
        let mut guards: Vec<_> = (0..MOST as c_int).map(|identity| locks.lock(identity)).collect();
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| drop(locks.lock(1000)));
            guards.truncate(MOST / 2);
            waits.join().unwrap();
        });
    }

    #[test]
    fn what_is_not_needed_is_not_held() {
        let locks = IdentityLocks::new();
        assert!(locks.lock_if(5, || false).is_none());
        drop(locks.lock(5));
    }
}
