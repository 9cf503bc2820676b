//! System calls by number. The result is split into value and error here and nowhere else.

use super::{Errno, Result};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
pub(super) use syscalls::Sysno;

/// The kernel answers with -errno in this range.
#[inline(always)]
pub(super) fn split(value: usize) -> Result<usize> {
    if value > -4096isize as usize { Err(Errno((value as isize).wrapping_neg() as i32)) } else { Ok(value) }
}

macro_rules! define {
    ($name:ident, $raw:ident, $($arg:ident),*) => {
        /// # Safety
        ///
        /// As for the system call: pointers among the arguments must be good for what the call does with them.
        #[inline(always)]
        pub(super) unsafe fn $name(nr: Sysno, $($arg: usize),*) -> Result<usize> {
            // SAFETY: passed on to the caller.
            split(unsafe { syscalls::raw::$raw(nr, $($arg),*) })
        }
    };
}

define!(call1, syscall1, a);
define!(call2, syscall2, a, b);
define!(call3, syscall3, a, b, c);
define!(call4, syscall4, a, b, c, d);
define!(call5, syscall5, a, b, c, d, e);
define!(call6, syscall6, a, b, c, d, e, f);

/// The same as `call6`, but value and error are not split.
///
/// # Safety
///
/// As for `call6`.
#[inline(always)]
pub(super) unsafe fn answer6(nr: Sysno, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> isize {
    // SAFETY: passed on to the caller.
    unsafe { syscalls::raw::syscall6(nr, a, b, c, d, e, f) as isize }
}

/// The same for three arguments.
///
/// # Safety
///
/// As for `call3`.
#[inline(always)]
pub(super) unsafe fn answer3(nr: Sysno, a: usize, b: usize, c: usize) -> isize {
    // SAFETY: passed on to the caller.
    unsafe { syscalls::raw::syscall3(nr, a, b, c) as isize }
}

/// The same for four arguments.
///
/// # Safety
///
/// As for `call4`.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) unsafe fn answer4(nr: Sysno, a: usize, b: usize, c: usize, d: usize) -> isize {
    // SAFETY: passed on to the caller.
    unsafe { syscalls::raw::syscall4(nr, a, b, c, d) as isize }
}

/// An error if a call is refused as such (`Errno::is_refusal`), whatever it is called with. It is made with -1 in the
/// place of a descriptor or an address, and with `last` as its sixth argument: only for calls that then answer with
/// another error, and at once.
#[cold]
pub(super) fn check(nr: Sysno, last: usize) -> Result<()> {
    // SAFETY: no memory is at the addresses.
    unless_refused(unsafe { call6(nr, usize::MAX, 0, 0, 0, 0, last) })
}

/// The errno of an answer that says that the call is refused as such; nothing of any other.
pub(super) fn unless_refused(answer: Result<usize>) -> Result<()> {
    match answer {
        Err(errno) if errno.is_refusal() => Err(errno),
        _ => Ok(()),
    }
}

/// A call that may be refused, and for which there is another way: whether it was. (That is for good: a process cannot
/// take a filter away.)
pub(super) struct Refusable {
    nr: Sysno,
    refused: AtomicBool,
}

impl Refusable {
    /// See `check` for which calls.
    pub(super) const fn new(nr: Sysno) -> Refusable {
        Refusable { nr, refused: AtomicBool::new(false) }
    }

    /// Whether it is known to be refused.
    #[inline(always)]
    pub(super) fn is_refused(&self) -> bool {
        // Relaxed: a hint; a thread that misses it asks the kernel itself.
        self.refused.load(Relaxed)
    }

    /// Whether it has answered so because it is refused, and not for a reason of its own. `last` is its sixth argument.
    #[inline(always)]
    pub(super) fn explains<T>(&self, answer: &Result<T>, last: usize) -> bool {
        matches!(answer, Err(errno) if errno.is_refusal()) && self.ask(last)
    }

    #[cold]
    fn ask(&self, last: usize) -> bool {
        let is_refused = check(self.nr, last).is_err();
        if is_refused {
            // Relaxed: as above.
            self.refused.store(true, Relaxed);
        }
        is_refused
    }
}
