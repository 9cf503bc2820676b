//! Race detectors: a program that was built with `-fsanitize=thread` brings one, which sees neither the locks and
//! atomics of this library nor its system calls. It has to be told what happens before what.
//!
//! Its two functions are referred to weakly: their addresses are null in a program without a detector. A library that
//! is itself built with the checks (`instrumented`, see build.rs) tells nothing, because all that it does is seen.

use super::weak::weak;
use core::ffi::c_void;

type Tell = unsafe extern "C" fn(*mut c_void);

/// A function of the detector's.
macro_rules! tell {
    ($name:literal) => {{
        let address = weak!($name);
        // SAFETY: null, or the address of a function of the detector's, which has this signature
        // (sanitizer/tsan_interface.h).
        unsafe { core::mem::transmute::<usize, Option<Tell>>(address) }
    }};
}

#[inline(always)]
fn release_function() -> Option<Tell> {
    if cfg!(instrumented) { None } else { tell!("__tsan_release") }
}

#[inline(always)]
fn acquire_function() -> Option<Tell> {
    if cfg!(instrumented) { None } else { tell!("__tsan_acquire") }
}

/// Whether there is a detector that has to be told.
#[inline(always)]
pub(crate) fn is_present() -> bool {
    release_function().is_some()
}

/// What the calling thread has done so far happens before what any thread does after an `acquire` of the same key: the
/// address of memory that belongs to the library.
#[inline(always)]
pub(crate) fn release(key: usize) {
    tell(release_function(), key);
}

/// What threads had done before they called `release` with the same key has happened.
#[inline(always)]
pub(crate) fn acquire(key: usize) {
    tell(acquire_function(), key);
}

#[inline(always)]
fn tell(function: Option<Tell>, key: usize) {
    if let Some(function) = function {
        // SAFETY: the detector looks the address up in a table of its own, and does not touch what is there.
        unsafe { function(key as *mut c_void) };
    }
}
