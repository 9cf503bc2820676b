//! The address sanitizer: a program that was built with `-fsanitize=address` brings it. It sees neither what the kernel
//! does with the program's memory nor what this library does, so it is asked. Its functions are referred to weakly; a
//! library that is itself built with the checks (`instrumented`, see build.rs) asks nothing.

use super::weak::weak;
use core::ffi::c_void;

/// The first byte of a region that may not be used, or null.
type Find = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
/// Reports an access to so many bytes, and ends the program.
type Report = unsafe extern "C" fn(*mut c_void, usize);

/// A function of the sanitizer's.
macro_rules! function {
    ($name:literal, $type:ty) => {
        if cfg!(instrumented) {
            None
        } else {
            let address = weak!($name);
            // SAFETY: null, or the address of a function of the sanitizer's, which has this signature
            // (sanitizer/asan_interface.h; what compilers call to report an access of any size).
            unsafe { core::mem::transmute::<usize, Option<$type>>(address) }
        }
    };
}

/// No memory of a program is at or above this.
const TOP: usize = if cfg!(target_arch = "x86_64") { 1 << 47 } else { 1 << 48 };

/// Whether the program has the sanitizer.
pub(crate) fn is_present() -> bool {
    function!("__asan_region_is_poisoned", Find).is_some()
}

/// Has the sanitizer report memory that was freed, has left its scope, or lies beyond what it belongs to. What is no
/// address of a program's memory is left to the kernel.
pub(crate) fn check(at: usize, len: usize, is_written: bool) {
    let Some(find) = function!("__asan_region_is_poisoned", Find) else { return };
    if len == 0 || at == 0 || at.checked_add(len).is_none_or(|end| end > TOP) {
        return;
    }
    // SAFETY: it looks the addresses up in a table of its own.
    let first = unsafe { find(at as *mut c_void, len) };
    if first.is_null() {
        return;
    }
    let report = if is_written {
        function!("__asan_report_store_n", Report)
    } else {
        function!("__asan_report_load_n", Report)
    };
    if let Some(report) = report {
        // SAFETY: it reports the address, and ends the program.
        unsafe { report(first, len) };
    }
}
