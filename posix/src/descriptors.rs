//! Calls that have no asynchronous form, and those that close many descriptors at once.

use crate::errors::fail;
use crate::look::{self, What, what};
use crate::names::Name;
use crate::start::pass;
use core::ffi::{c_int, c_uint};

/// Whether a call without an asynchronous form has to fail on this descriptor.
fn has_no_form(fd: c_int) -> bool {
    matches!(what(fd), What::Attached)
}

/// Called when the first look (`entry`) has found something, or could not tell.
macro_rules! without_form {
    ($function:ident($($fd:ident),* $(; $other:ident)*)) => {
        pub(crate) unsafe extern "C" fn $function($($fd: usize,)* $($other: usize),*) -> isize {
            if $(has_no_form($fd as c_int))||* {
                return fail(libc::EOPNOTSUPP);
            }
            // SAFETY: passed on to the caller.
            unsafe { pass(Name::$function, of([$($fd,)* $($other),*])) }
        }
    };
}

without_form!(recvmmsg(fd; messages; count; flags; timeout));
without_form!(sendmmsg(fd; messages; count; flags));
without_form!(tee(from, to; bytes; flags));
without_form!(vmsplice(fd; vectors; count; flags));

/// Up to six arguments, of which the others are not looked at.
fn of<const GIVEN: usize>(given: [usize; GIVEN]) -> [usize; 6] {
    let mut all = [0; 6];
    for (place, argument) in all.iter_mut().zip(given) {
        *place = argument;
    }
    all
}

/// What is the library's is closed by its rules first; the kernel then finds those numbers closed. With flags the range
/// is closed at exec only, or in a table that is not shared any more: the numbers are found to be closed later.
pub(crate) unsafe extern "C" fn close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int {
    if flags == 0 && first <= last {
        look::close_all(first, last);
    }
    // SAFETY: there are no pointers.
    unsafe { pass(Name::close_range, of([first as usize, last as usize, flags as usize])) as c_int }
}

/// A negative number means 0.
pub(crate) unsafe extern "C" fn closefrom(first: c_int) {
    look::close_all(first.max(0) as c_uint, c_uint::MAX);
    // SAFETY: there are no pointers.
    unsafe { pass(Name::closefrom, of([first as usize])) };
}
