//! Locks for files, of which there may be any number: one for each value of a hash of the file's identity.

use crate::engine::lock::{Mutex, MutexGuard};
use core::ffi::c_int;

const STRIPES: usize = 64;

/// A set of locks.
pub(crate) struct Stripes([Mutex<()>; STRIPES]);

impl Stripes {
    pub(crate) const fn new() -> Stripes {
        Stripes([const { Mutex::new(()) }; STRIPES])
    }

    /// Which lock is that of a file (`fd::identity`).
    pub(super) fn of(identity: c_int) -> usize {
        identity as usize % STRIPES
    }

    pub(super) fn lock(&self, stripe: usize) -> Option<MutexGuard<'_, ()>> {
        self.0.get(stripe).map(Mutex::lock)
    }
}
