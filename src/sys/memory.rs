//! Memory straight from the kernel: for tables that are mostly empty, and for what a forked child must not see.

use super::fd::OwnedFd;
use super::raw::{self, Sysno};
use super::{Errno, Result};
use core::ffi::{CStr, c_int};
use core::ptr::NonNull;

/// Zeroed pages that are never given back. Pages that are not touched cost nothing.
pub(crate) fn map_zeroed(bytes: usize) -> Result<NonNull<u8>> {
    let prot = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists.
    let r = unsafe { raw::call6(Sysno::mmap, 0, bytes, prot as usize, flags as usize, usize::MAX, 0) };
    match r {
        // There is a limit on locked memory, and all of it is to be locked.
        Err(Errno::EAGAIN) => Err(Errno::ENOMEM),
        r => NonNull::new(r? as *mut u8).ok_or(Errno::ENOMEM),
    }
}

/// Whether a word can be read at an address of the caller's. The kernel reads a signal set before it sees that it is
/// not told what to do with it.
pub(crate) fn has_word(at: super::UserPtr) -> bool {
    let nonsense = usize::MAX;
    // SAFETY: the kernel checks the address, and only reads.
    let r = unsafe { raw::call4(Sysno::rt_sigprocmask, nonsense, at.addr(), 0, size_of::<u64>()) };
    r != Err(Errno::EFAULT)
}

/// Copies what is at an address of the caller's, without a fault where there is nothing. Whether that was possible.
pub(crate) fn peek(at: usize, to: &mut [u8]) -> bool {
    let near = libc::iovec { iov_base: to.as_mut_ptr().cast(), iov_len: to.len() };
    let far = libc::iovec { iov_base: at as *mut _, iov_len: to.len() };
    let me = super::process::id() as usize;
    // SAFETY: the kernel checks the addresses, and writes to `to`.
    let r = unsafe {
        raw::call6(Sysno::process_vm_readv, me, &raw const near as usize, 1, &raw const far as usize, 1, 0)
    };
    r == Ok(to.len())
}

/// Whether a word can be written at an address of the caller's; it is overwritten, with the signal mask of the thread.
pub(crate) fn can_write(at: super::UserPtr) -> bool {
    let block = libc::SIG_BLOCK as usize;
    // SAFETY: the kernel checks the address; the mask stays as it is.
    let r = unsafe { raw::call4(Sysno::rt_sigprocmask, block, 0, at.addr(), size_of::<u64>()) };
    r.is_ok()
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

/// Zeroed memory that other processes can look into, by a file of this name: its descriptor is theirs to find. It is of
/// fixed size, and not there in forked children.
///
/// EFBIG: the process may not make files as large as that, and a try would bring it SIGXFSZ.
pub(crate) fn share(name: &CStr, bytes: usize) -> Result<(NonNull<u8>, OwnedFd)> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes the limit to a variable of our own.
    unsafe { raw::call4(Sysno::prlimit64, 0, libc::RLIMIT_FSIZE as usize, 0, &raw mut limit as usize)? };
    if limit.rlim_cur < bytes as libc::rlim_t {
        return Err(Errno::EFBIG);
    }
    let flags = (libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) as usize;
    // SAFETY: the name ends with its zero byte.
    let file = unsafe { raw::call2(Sysno::memfd_create, name.as_ptr() as usize, flags) }
        .map(|file| OwnedFd::adopt(file as c_int))?;
    let file = file.move_out_of_the_way()?;
    let number = file.raw() as usize;
    let (prot, shared) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
    // SAFETY: a file of our own, to which so many bytes are given, and a new mapping of them.
    let start = unsafe {
        raw::call4(Sysno::fallocate, number, 0, 0, bytes)?;
        raw::call6(Sysno::mmap, 0, bytes, prot as usize, shared as usize, number, 0)?
    };
    let start = NonNull::new(start as *mut u8).ok_or(Errno::ENOMEM)?;
    // SAFETY: advice about the mapping, and limits to what can be done with the file. (Writes by others are refused
    // since Linux 5.1.)
    unsafe {
        raw::call3(Sysno::madvise, start.as_ptr() as usize, bytes, libc::MADV_DONTFORK as usize)?;
        let add = |seals: c_int| raw::call3(Sysno::fcntl, number, libc::F_ADD_SEALS as usize, seals as usize);
        let _ = add(libc::F_SEAL_FUTURE_WRITE);
        add(libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL)?;
    }
    Ok((start, file))
}

/// Gives back pages that `map_zeroed` made.
///
/// # Safety
///
/// The pages are not used any more.
pub(crate) unsafe fn unmap(start: NonNull<u8>, bytes: usize) {
    // SAFETY: passed on to the caller.
    let _ = unsafe { raw::call2(Sysno::munmap, start.as_ptr() as usize, bytes) };
}

/// Makes pages read as zero in every child that is forked from now on (Linux 4.14; EINVAL before that). ENOMEM.
pub(crate) fn wipe_on_fork(start: NonNull<u8>, bytes: usize) -> Result<()> {
    // SAFETY: advice about a mapping of our own; this process sees no change.
    unsafe {
        raw::call3(Sysno::madvise, start.as_ptr() as usize, bytes, libc::MADV_WIPEONFORK as usize)?;
    }
    Ok(())
}

/// A static value on pages of its own: aligned to the largest page there is, and of whole pages, since its size is a
/// multiple of its alignment.
#[repr(C, align(65536))]
pub(crate) struct Pages<T> {
    pub(crate) value: T,
}

impl<T> Pages<T> {
    pub(crate) const fn new(value: T) -> Pages<T> {
        Pages { value }
    }

    /// Has the kernel zero it in every child that is forked from now on; false if it cannot. (Linux 4.14; and loaders
    /// before glibc 2.35 may not keep the alignment.)
    pub(crate) fn wipe_on_fork(&'static self) -> bool {
        wipe_on_fork(NonNull::from(self).cast(), size_of::<Pages<T>>()).is_ok()
    }
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

    #[test]
    fn the_first_and_the_last_word_of_a_page_are_words() {
        let page = map_zeroed(3 * 4096).unwrap().as_ptr();
        // They stay mapped, without access: into a hole another test's thread could map something meanwhile.
        for neighbour in [0, 2 * 4096] {
            // SAFETY: this page is not used.
            let r = unsafe { libc::mprotect(page.add(neighbour).cast(), 4096, libc::PROT_NONE) };
            assert_eq!(r, 0);
        }
        for (offset, expected) in [
            (4088, false),
            (4095, false),
            (4096, true),
            (4101, true),
            (8184, true),
            (8185, false),
            (8192, false),
        ] {
            // SAFETY: nothing but the question is done with it.
            let word = unsafe { UserPtr::new(page.wrapping_add(offset)) };
            assert_eq!(has_word(word), expected, "{offset}");
        }
    }
}
