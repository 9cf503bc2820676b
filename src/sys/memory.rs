//! Memory straight from the kernel: for tables that are mostly empty, and for what a forked child must not see.

use super::raw::{self, Sysno};
use super::{Errno, Result};
use core::ptr::NonNull;

/// Zeroed pages that are never given back. Pages that are not touched cost nothing.
pub(crate) fn map_zeroed(bytes: usize) -> Result<NonNull<u8>> {
    let prot = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists.
    let addr = unsafe { raw::call6(Sysno::mmap, 0, bytes, prot as usize, flags as usize, usize::MAX, 0)? };
    NonNull::new(addr as *mut u8).ok_or(Errno::ENOMEM)
}

/// Whether an aligned word can be read at an address of the caller's. The kernel reads it to see whether it should wait for
/// its change, and then does not.
pub(crate) fn has_word(at: super::UserPtr) -> bool {
    if !at.addr().is_multiple_of(align_of::<u64>()) {
        return false;
    }
    let at_once = super::process::timespec(0);
    let wait = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the kernel checks the address; the time is read.
    let r = unsafe { raw::call4(Sysno::futex, at.addr(), wait as usize, 0, &raw const at_once as usize) };
    r != Err(Errno::EFAULT)
}

/// A value on the heap, as in a box; ENOMEM where `Box::new` would abort.
pub(crate) fn allocate<T>(value: T) -> Result<*mut T> {
    const { assert!(size_of::<T>() > 0) };
    // SAFETY: the layout has a size.
    let room = unsafe { std::alloc::alloc(core::alloc::Layout::new::<T>()) }.cast::<T>();
    if room.is_null() {
        return Err(Errno::ENOMEM);
    }
    // SAFETY: fresh memory of that layout.
    unsafe { room.write(value) };
    Ok(room)
}

/// Gives back pages that `map_zeroed` made.
///
/// # Safety
///
/// Nobody uses the pages any more.
pub(crate) unsafe fn unmap(start: NonNull<u8>, bytes: usize) {
    // SAFETY: passed on to the caller.
    let _ = unsafe { raw::call2(Sysno::munmap, start.as_ptr() as usize, bytes) };
}

/// Makes pages from `map_zeroed` read as zero in every child that is forked from now on (Linux 4.14).
pub(crate) fn wipe_on_fork(start: NonNull<u8>, bytes: usize) -> Result<()> {
    // SAFETY: advice about a mapping of our own; this process sees no change.
    unsafe {
        raw::call3(Sysno::madvise, start.as_ptr() as usize, bytes, libc::MADV_WIPEONFORK as usize)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::UserPtr;

    #[test]
    fn words_are_told_from_holes() {
        let word = 0u64;
        // SAFETY: nothing but the question is done with them.
        let (good, bad) =
            unsafe { (UserPtr::new(&raw const word), UserPtr::new(core::ptr::dangling::<u64>())) };
        assert!(has_word(good) && !has_word(bad));
    }
}
