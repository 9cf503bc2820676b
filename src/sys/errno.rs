//! Error numbers, and the calling thread's `errno`.

use core::ffi::c_int;

/// An error number, as in `errno`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Errno(pub(crate) c_int);

macro_rules! names {
    ($($name:ident),*) => { impl Errno { $(pub(crate) const $name: Errno = Errno(libc::$name);)* } };
}

names!(
    EAGAIN,
    EALREADY,
    EBADF,
    ECANCELED,
    EEXIST,
    EFAULT,
    EINPROGRESS,
    EINTR,
    EINVAL,
    EMFILE,
    ENOMEM,
    ENOSYS,
    EOPNOTSUPP,
    EPERM,
    EPIPE
);

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
