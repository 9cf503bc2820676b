//! futex(2): waiting for a word in memory.

use super::raw::{self, Sysno};
use super::{Errno, Result, process, time};
use core::ffi::c_int;
use core::sync::atomic::AtomicU32;

const WAIT: usize = (libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG) as usize;
const WAKE: usize = (libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG) as usize;
/// The largest time that the kernel has no difficulty with, in nanoseconds: 146 years.
const FAR: u64 = u64::MAX / 4;

/// The errno if a filter refuses futex(2).
pub(super) fn check() -> Result<()> {
    let word = AtomicU32::new(0);
    // SAFETY: as in `wake`. No thread waits for it.
    raw::unless_refused(unsafe { raw::call3(Sysno::futex, word.as_ptr() as usize, WAKE, 1) })
}

/// Waits as long as `word` is `value`, until `deadline` (CLOCK_MONOTONIC, in nanoseconds) at most. May return early.
/// EINTR after a handled signal; ETIMEDOUT.
pub(crate) fn wait(word: &AtomicU32, value: u32, deadline: Option<u64>) -> Result<()> {
    // Always with a time: without one the kernel would wait again after a handler that was set with SA_RESTART.
    let deadline = time::timespec(deadline.unwrap_or(FAR).min(FAR));
    let any = libc::FUTEX_BITSET_MATCH_ANY as u32 as usize;
    // SAFETY: the kernel reads `word` and `deadline`, which live until the call returns.
    let outcome = unsafe {
        raw::call6(
            Sysno::futex,
            word.as_ptr() as usize,
            WAIT,
            value as usize,
            &raw const deadline as usize,
            0,
            any,
        )
    };
    match outcome {
        Err(Errno::EAGAIN) | Ok(_) => Ok(()),
        // A filter that came when the library was in use already (`needs`).
        Err(errno) if errno.is_refusal() => {
            process::pause();
            Ok(())
        }
        Err(errno) => Err(errno),
    }
}

/// Wakes a thread that waits for `word`.
pub(crate) fn wake_one(word: &AtomicU32) {
    wake(word, 1);
}

/// Wakes all threads that wait for `word`.
pub(crate) fn wake_all(word: &AtomicU32) {
    wake(word, c_int::MAX);
}

fn wake(word: &AtomicU32, most: c_int) {
    // SAFETY: the kernel uses the address only to find the threads that wait for it.
    let _ = unsafe { raw::call3(Sysno::futex, word.as_ptr() as usize, WAKE, most as usize) };
}
