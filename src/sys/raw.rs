//! System calls by number. The result is split into value and error here and nowhere else.

use super::{Errno, Result};
pub(super) use syscalls::Sysno;

/// The kernel answers with -errno in this range.
#[inline(always)]
fn split(value: usize) -> Result<usize> {
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
            split(unsafe { syscalls::raw::$raw(nr as usize, $($arg),*) })
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
    unsafe { syscalls::raw::syscall6(nr as usize, a, b, c, d, e, f) as isize }
}
