//! The C interface. Each function reads its arguments, calls the engine, and answers; there is no logic here.
//!
//! Calls on descriptors that are neither attached nor pipes are libc's (rule 1.1), cancellation points included. `errno` is
//! written as the last thing, and only by calls that fail (rule 5.1).

pub mod constants;
pub mod control;
pub mod file;
pub mod io;
pub mod pipe;
pub mod socket;
pub mod submit;

use crate::engine::op::Request;
use crate::engine::{self, AtOnce, Way};
use crate::sys::{Errno, Result, UserPtr, errno};
use core::ffi::c_int;

/// What C functions return: -1 for an error.
trait Answer {
    const FAILED: Self;
    fn of(value: usize) -> Self;
}

impl Answer for c_int {
    const FAILED: c_int = -1;
    fn of(value: usize) -> c_int {
        value as c_int
    }
}

impl Answer for isize {
    const FAILED: isize = -1;
    fn of(value: usize) -> isize {
        value as isize
    }
}

/// Fails with an errno.
#[inline]
fn fail<T: Answer>(errno: Errno) -> T {
    errno::set(errno.0);
    T::FAILED
}

/// The answer of a call on an attached descriptor that was queued.
#[inline(always)]
fn queued<T: Answer>() -> T {
    // SAFETY: something is attached, so the world was made, which prepares it.
    unsafe { errno::set_quickly(constants::EIOEVENTQUEUED) };
    T::FAILED
}

/// The answer of a call on an attached descriptor that a short way has finished, or queued; else what `slow` gives.
#[inline(always)]
fn at_once_or<T: Answer>(outcome: AtOnce, slow: impl FnOnce() -> T) -> T {
    match outcome {
        AtOnce::Done(Ok(value)) => T::of(value),
        AtOnce::Done(Err(Errno(errno))) => {
            // SAFETY: as in `queued`.
            unsafe { errno::set_quickly(errno) };
            T::FAILED
        }
        AtOnce::Not | AtOnce::Begun(_) => slow(),
    }
}

/// A result as C wants it. What the library did on the way may have written `errno`; success puts it back.
fn answer<T: Answer>(call: impl FnOnce() -> Result<T>) -> T {
    let kept = errno::Kept::new();
    match call() {
        Ok(value) => value,
        Err(errno) => {
            drop(kept);
            fail(errno)
        }
    }
}

/// Queues an operation if `fd` is attached, else calls libc.
#[inline(always)]
fn queue_or<T: Answer>(fd: c_int, request: Request, libc: impl FnOnce() -> T) -> T {
    match engine::submit(fd, &request, Way::Call) {
        Some(Err(errno)) => fail(errno),
        Some(Ok(value)) => T::of(value),
        None => libc(),
    }
}

/// The same for what has two descriptors.
fn transfer_or<T: Answer>(to: c_int, from: c_int, request: Request, libc: impl FnOnce() -> T) -> T {
    match engine::submit_transfer(to, from, request, Way::Call) {
        Some(Err(errno)) => fail(errno),
        Some(Ok(value)) => T::of(value),
        None => libc(),
    }
}

/// The address of memory that rule 2.3 makes the library's until the event is read.
#[inline(always)]
fn lent<T>(p: *const T) -> UserPtr {
    // SAFETY: every function here that takes a pointer says so, and the caller of an unsafe function keeps to it.
    unsafe { UserPtr::new(p) }
}
