//! What is behind a number, as far as C sees; and where a child that was made without fork(3) is noticed.

use super::fork;
use crate::engine::arming;
use crate::state::attachment::{Attachment, Entry, Locked};
use crate::state::pipe::{InUse, Pipe};
use crate::state::{table, world};
use crate::sync::access;
use crate::sys::{Errno, Result, fd, observers};
use core::ffi::c_int;

/// What the fast path sees behind a number.
pub(crate) enum Near {
    /// It is attached to this pipe.
    Attached(&'static Attachment, &'static Pipe),
    /// It is a pipe's own.
    Pipe(&'static Pipe),
    /// It is nothing of ours.
    Nothing,
    /// It takes more to find out: `get`.
    Unknown,
}

/// What is behind a number now, as far as one look tells.
#[inline(always)]
pub(crate) fn near(number: c_int) -> Near {
    let Some(node) = table::near(number) else { return Near::Unknown };
    let word = node.read();
    if let Some(pipe) = word.attached_pipe() {
        return Near::Attached(node, pipe);
    }
    match word.pipe() {
        Some(pipe) => Near::Pipe(pipe),
        None if world::is_inspected() => Near::Nothing,
        None => Near::Unknown,
    }
}

/// Whether a number is nothing of ours, as far as one look tells.
#[inline(always)]
pub(crate) fn is_nothing(number: c_int) -> bool {
    table::near(number).is_some_and(|node| !node.is_in_use()) && world::is_inspected()
}

/// What is behind a number now.
#[inline(always)]
pub(crate) fn get(number: c_int) -> Entry {
    if let Some(node) = table::near(number) {
        let word = node.read();
        if word.is_attached_for_c() {
            return Entry::Attachment(node);
        }
        if let Some(pipe) = word.pipe() {
            return Entry::Pipe(pipe);
        }
    }
    get_slow(number)
}

#[cold]
#[inline(never)]
fn get_slow(number: c_int) -> Entry {
    inspect();
    table::get(number)
}

/// Deals with a child that was made without fork(3).
pub(crate) fn inspect() {
    if !world::is_inspected() {
        if world::world().is_none() {
            fork::notice();
        }
        // Where misuse is looked for, calls that are libc's come by here, too (`ffi::libcs::watch`).
        if !observers::is_debug() {
            world::set_inspected(true);
        }
    }
}

/// The attachment of `fd`, locked, if it has one.
#[inline]
pub(crate) fn find(fd: c_int) -> Option<Locked> {
    match get(fd) {
        Entry::Attachment(node) => arming::lock_for_c(node),
        _ => None,
    }
}

/// The pipe behind a descriptor. EBADF if that is not open, EINVAL if it is something else.
#[inline]
pub(crate) fn enter(number: c_int) -> Result<InUse> {
    find_pipe(number)?.ok_or_else(|| fd::unfit(number))
}

/// The same, for a change to it; nor in a vfork child, which has the memory of its parent, but not its pipes
/// (rule 5.2). EBADF if it is known to be lost.
pub(crate) fn enter_own(number: c_int) -> Result<InUse> {
    if world::is_borrowed() {
        return Err(fd::unfit(number));
    }
    let pipe = enter(number)?;
    if pipe.is_lost() { Err(Errno::EBADF) } else { Ok(pipe) }
}

/// The same, to be asked about. EBADF if it was lost.
pub(crate) fn enter_whole(number: c_int) -> Result<InUse> {
    let pipe = enter(number)?;
    if pipe.is_whole() { Ok(pipe) } else { Err(Errno::EBADF) }
}

/// The pipe behind a descriptor, if it is one; EBADF if it is being closed.
#[inline]
pub(crate) fn find_pipe(number: c_int) -> Result<Option<InUse>> {
    let Entry::Pipe(pipe) = get(number) else { return Ok(None) };
    access::admit();
    pipe.enter_as(number).map(Some).ok_or(Errno::EBADF)
}
