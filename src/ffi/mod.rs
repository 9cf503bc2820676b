//! The C interface. Each function reads its arguments, calls the engine, and answers; there is no logic here.
//!
//! Calls on descriptors that are neither attached nor pipes are libc's (rule 1.1), cancellation points included.
//! `errno` is written as the last thing, and only by calls that fail (rule 5.1).

pub mod constants;
pub mod control;
mod entry;
pub mod file;
pub mod io;
mod libcs;
pub mod pipe;
mod plain_names;
pub mod socket;
pub mod stats;
pub mod submit;
pub mod version;

use crate::calls::answer::Answer;
use crate::sys::{Errno, Result, UserPtr, errno};
use core::ffi::c_int;

/// What C functions return: -1 for an error.
trait Returned {
    const FAILED: Self;
    fn of(value: usize) -> Self;
}

impl Returned for c_int {
    const FAILED: c_int = -1;
    fn of(value: usize) -> c_int {
        value as c_int
    }
}

impl Returned for isize {
    const FAILED: isize = -1;
    fn of(value: usize) -> isize {
        value as isize
    }
}

/// Fails with an errno.
#[inline]
fn fail<T: Returned>(errno: Errno) -> T {
    errno::set(errno.0);
    T::FAILED
}

/// The answer of a call that was queued.
#[inline(always)]
fn queued<T: Returned>() -> T {
    // SAFETY: something is attached, so the world was made, which prepares it.
    unsafe { errno::set_quickly_to::<{ constants::EIOEVENTQUEUED }>() };
    T::FAILED
}

/// The answer of a call that was done at once: bytes, or -errno.
#[inline(always)]
fn done<T: Returned>(n: isize) -> T {
    if n >= 0 {
        return T::of(n as usize);
    }
    // SAFETY: as in `queued`.
    unsafe { errno::set_quickly(-n as c_int) };
    T::FAILED
}

/// What C gets of a call on an attached descriptor, given what the slow path has made of it; `libc` if it is libc's.
fn answer_slow<T: Returned>(answer: Answer, libc: impl FnOnce() -> T) -> T {
    match answer {
        Answer::Queued => queued(),
        Answer::Done(n) => done(n),
        Answer::Slow(Ok(value)) => T::of(value),
        Answer::Slow(Err(errno)) | Answer::Refused(errno) => fail(errno),
        Answer::Libcs => libc(),
    }
}

/// A result as C wants it. What the library did on the way may have written `errno`; success puts it back.
fn answer<T: Returned>(call: impl FnOnce() -> Result<T>) -> T {
    let kept = errno::Kept::new();
    match call() {
        Ok(value) => value,
        Err(errno) => {
            drop(kept);
            fail(errno)
        }
    }
}

/// The address of memory that rule 2.3 makes the library's until the event is read.
#[inline(always)]
fn lent<T>(p: *const T) -> UserPtr {
    // SAFETY: every function here that takes a pointer says so, and the caller of an unsafe function keeps to it.
    unsafe { UserPtr::new(p) }
}
