//! The locks of this folder: loom's in tests/loom/, std's otherwise. No code of the program runs while one is held, so
//! no panic leaves anything half changed behind one, and that std calls it poisoned is of no interest.

#[cfg(loom)]
use loom::sync as origin;
#[cfg(not(loom))]
use std::sync as origin;

pub(super) use origin::{Condvar, Mutex, MutexGuard};
use std::sync::PoisonError;
use std::time::Duration;

/// Locks.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits to be notified, at most for `time`. It may return for no reason.
pub(super) fn wait<'m, T>(
    condvar: &Condvar,
    guard: MutexGuard<'m, T>,
    time: Option<Duration>,
) -> MutexGuard<'m, T> {
    match time {
        None => condvar.wait(guard).unwrap_or_else(PoisonError::into_inner),
        Some(time) => condvar.wait_timeout(guard, time).unwrap_or_else(PoisonError::into_inner).0,
    }
}
