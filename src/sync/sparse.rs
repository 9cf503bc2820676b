//! A table by descriptor number, of two levels: a number costs nothing until something near it is used.

use crate::sys::{Errno, Result, memory};
use core::ffi::c_int;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{
    AtomicPtr,
    Ordering::{AcqRel, Acquire},
};

/// Entries in a chunk.
const CHUNK: usize = 1 << 17;
/// Chunks: together with `CHUNK`, every number that 32 bits can hold, so that a look-up needs no check. The chunks of
/// negative numbers are never made.
const CHUNKS: usize = 1 << 15;

/// What can be an entry.
///
/// # Safety
///
/// Zeroed memory is a valid value.
pub(crate) unsafe trait Zeroed: Sync + 'static {
    /// A forked child is to see all entries zeroed, those too that it has a reference to (Linux 4.14; before that
    /// `made` says which there are).
    const WIPED_ON_FORK: bool = false;
}

// SAFETY: 0 is a number.
unsafe impl Zeroed for core::sync::atomic::AtomicUsize {}

/// See the module's head.
pub(crate) struct Sparse<T: 'static>([AtomicPtr<T>; CHUNKS]);

impl<T: Zeroed> Sparse<T> {
    pub(crate) const fn new() -> Sparse<T> {
        Sparse([const { AtomicPtr::new(null_mut()) }; CHUNKS])
    }

    /// The entry of a number: `None` if nothing near it was ever used.
    #[inline(always)]
    pub(crate) fn get(&self, number: c_int) -> Option<&'static T> {
        let number = number as u32 as usize;
        let chunk = self.0.get(number / CHUNK)?;
        // Acquire pairs with the Release in `make`: the chunk is zeroed before its address is seen.
        let chunk = NonNull::new(chunk.load(Acquire))?;
        // SAFETY: a chunk has CHUNK entries and is never unmapped.
        Some(unsafe { chunk.add(number % CHUNK).as_ref() })
    }

    /// The entry of a number that is open, made if need be.
    pub(crate) fn make(&self, number: c_int) -> Result<&'static T> {
        if let Some(entry) = self.get(number) {
            return Ok(entry);
        }
        let index = usize::try_from(number).map_err(|_| Errno::EBADF)?;
        let chunk = self.0.get(index / CHUNK).ok_or(Errno::EBADF)?;
        let bytes = CHUNK * size_of::<T>();
        let fresh = memory::map_zeroed(bytes)?;
        if T::WIPED_ON_FORK && memory::wipe_on_fork(fresh, bytes) == Err(Errno::ENOMEM) {
            // SAFETY: just made, and not seen by another thread.
            unsafe { memory::unmap(fresh, bytes) };
            return Err(Errno::ENOMEM);
        }
        // Release pairs with the Acquire in `get`.
        if chunk.compare_exchange(null_mut(), fresh.cast().as_ptr(), AcqRel, Acquire).is_err() {
            // SAFETY: no thread has seen the mapping that lost.
            unsafe { memory::unmap(fresh, bytes) };
        }
        self.get(number).ok_or(Errno::ENOMEM)
    }

    /// All entries near which something was ever used.
    pub(crate) fn made(&self) -> impl Iterator<Item = &'static T> {
        // Acquire, and safety: as in `get`.
        let chunks = self.0.iter().filter_map(|chunk| NonNull::new(chunk.load(Acquire)));
        // SAFETY: see above.
        chunks.flat_map(|chunk| unsafe { core::slice::from_raw_parts(chunk.as_ptr(), CHUNK) })
    }
}
