//! What looks at the operations of this process beside the program: a race detector, the address sanitizer,
//! IOEVENT_DEBUG. Where there is any, all operations take the slow path, which tells it of them, and the fast path
//! needs no test for it: it is closed as it is for other reasons (`engine::arming`).

use super::{addresses, race};
use core::ffi::{CStr, c_char};
use core::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};

const RACE_DETECTOR: u8 = 1;
const ADDRESS_SANITIZER: u8 = 2;
/// IOEVENT_DEBUG is set.
const DEBUG: u8 = 4;
/// To `abort`.
const ABORT: u8 = 8;

/// The constants above. Relaxed: written before there is a pipe, and any thread that asks has found one, or something
/// attached.
static THERE: AtomicU8 = AtomicU8::new(0);

/// IOEVENT_STATS is set: no operation is changed by that. Relaxed, as `THERE`.
static PUBLISHED: AtomicBool = AtomicBool::new(false);

unsafe extern "C" {
    /// getenv(3), but null in a program that runs with other rights than those of its user. (It is not in the libc
    /// crate; cbindgen.toml keeps it out of the header.)
    fn secure_getenv(name: *const c_char) -> *const c_char;
}

/// Finds out what there is: before the first pipe is made.
pub(crate) fn find() {
    let mut there = 0;
    if race::is_present() {
        there |= RACE_DETECTOR;
    }
    if addresses::is_present() {
        there |= ADDRESS_SANITIZER;
    }
    there |= match variable(c"IOEVENT_DEBUG") {
        None | Some(b"" | b"0") => 0,
        Some(b"abort") => DEBUG | ABORT,
        Some(_) => DEBUG,
    };
    THERE.store(there, Relaxed);
    PUBLISHED.store(!matches!(variable(c"IOEVENT_STATS"), None | Some(b"" | b"0")), Relaxed);
}

/// A variable of the environment, to be used at once.
fn variable(name: &'static CStr) -> Option<&'static [u8]> {
    // SAFETY: the name ends with its zero byte.
    let value = unsafe { secure_getenv(name.as_ptr()) };
    // SAFETY: the value ends with its zero byte.
    if value.is_null() { None } else { Some(unsafe { CStr::from_ptr(value) }.to_bytes()) }
}

/// Whether statistics are to be published: IOEVENT_STATS.
pub(crate) fn is_published() -> bool {
    PUBLISHED.load(Relaxed)
}

/// Whether there is any.
#[inline(always)]
pub(crate) fn are_there() -> bool {
    THERE.load(Relaxed) != 0
}

/// Whether there is one that is told of the memory of each operation.
#[inline(always)]
pub(crate) fn of_memory() -> bool {
    THERE.load(Relaxed) & (ADDRESS_SANITIZER | DEBUG) != 0
}

/// Whether misuse is to be reported.
#[inline(always)]
pub(crate) fn is_debug() -> bool {
    THERE.load(Relaxed) & DEBUG != 0
}

/// Whether a report of misuse ends the program.
pub(crate) fn aborts() -> bool {
    THERE.load(Relaxed) & ABORT != 0
}
