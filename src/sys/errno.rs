//! Error numbers, and the calling thread's `errno`.

use super::thread_pointer::{self, thread_pointer};
use core::ffi::c_int;
use core::sync::atomic::{AtomicUsize, Ordering};

/// An error number, as in `errno`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Errno(pub(crate) c_int);

macro_rules! names {
    ($($name:ident),*) => { impl Errno { $(pub(crate) const $name: Errno = Errno(libc::$name);)* } };
}

names!(
    EACCES,
    EAGAIN,
    EALREADY,
    EBADF,
    EBUSY,
    ECANCELED,
    EEXIST,
    EFBIG,
    EFAULT,
    EINPROGRESS,
    EINTR,
    EINVAL,
    EMFILE,
    ENOMEM,
    ENOSPC,
    ENOSYS,
    EOPNOTSUPP,
    EPERM,
    EPIPE,
    ETIMEDOUT
);

impl Errno {
    /// Whether this is what the kernel says of a call that it does not know, or a filter in front of it (seccomp(2),
    /// say) of one that it does not let through. Some calls have other reasons to answer so.
    pub(crate) fn is_refusal(self) -> bool {
        matches!(self, Errno::ENOSYS | Errno::EPERM | Errno::EACCES)
    }
}

/// The calling thread's `errno`.
pub(crate) fn get() -> c_int {
    // SAFETY: the address is that of the calling thread's errno, valid as long as the thread.
    unsafe { *libc::__errno_location() }
}

/// Sets the calling thread's `errno`.
#[inline]
pub(crate) fn set(value: c_int) {
    // SAFETY: as in `get`.
    unsafe { *libc::__errno_location() = value }
}

/// How far `errno` lies from the thread control block: the same in each thread, since the C library has it in static
/// thread-local storage. 0 until `prepare`.
static DISTANCE: AtomicUsize = AtomicUsize::new(0);

/// Makes `set_quickly` usable.
pub(crate) fn prepare() {
    // SAFETY: only the address is taken.
    let address = unsafe { libc::__errno_location() } as usize;
    // Relaxed: a thread that uses it has found something attached, which came after.
    DISTANCE.store(address.wrapping_sub(thread_pointer()), Ordering::Relaxed);
}

/// `set` without a call.
///
/// # Safety
///
/// `prepare` was called before, in any thread.
#[inline(always)]
pub(crate) unsafe fn set_quickly(value: c_int) {
    // SAFETY: passed on to the caller; then this is the calling thread's errno.
    unsafe { thread_pointer::store(DISTANCE.load(Ordering::Relaxed), value) }
}

/// The same for a value that is known when it is compiled.
///
/// # Safety
///
/// As for `set_quickly`.
#[inline(always)]
pub(crate) unsafe fn set_quickly_to<const VALUE: c_int>() {
    // SAFETY: as in `set_quickly`.
    unsafe { thread_pointer::store_constant::<VALUE>(DISTANCE.load(Ordering::Relaxed)) }
}

/// `Kept` without calls.
pub(crate) struct KeptQuickly(c_int);

impl KeptQuickly {
    /// # Safety
    ///
    /// `prepare` was called before, in any thread.
    #[inline(always)]
    pub(crate) unsafe fn new() -> KeptQuickly {
        let address = thread_pointer().wrapping_add(DISTANCE.load(Ordering::Relaxed));
        // SAFETY: passed on to the caller; then this is the calling thread's errno.
        KeptQuickly(unsafe { *(address as *const c_int) })
    }
}

impl Drop for KeptQuickly {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: prepared, or there would be none.
        unsafe { set_quickly(self.0) };
    }
}

/// Puts `errno` back when it goes out of scope. libc calls made inside the library (locks that wait, memory) may
/// write it, and a function that succeeds must not (rule 5.1).
pub(crate) struct Kept(c_int);

impl Kept {
    pub(crate) fn new() -> Kept {
        Kept(get())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        set(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_way_sets_the_errno_of_each_thread() {
        prepare();
        let check = |value| {
            set(0);
            // SAFETY: prepared.
            unsafe { set_quickly(value) };
            assert_eq!(get(), value);
            // SAFETY: prepared.
            unsafe { set_quickly_to::<7>() };
            assert_eq!(get(), 7);
        };
        check(1);
        std::thread::spawn(move || check(2)).join().unwrap();
        check(3);
    }
}
