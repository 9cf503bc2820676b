//! Operations as they are shown to those who look at their memory (`sys::observers`): IOEVENT_DEBUG lists what is
//! outstanding and reports two that have the use of the same memory; the address sanitizer is asked whether the memory
//! still is the program's.

use super::parts;
use crate::queue::op::{Completion, Kind, OpRef};
use crate::state::faults;
use crate::state::inside::Inside;
use crate::state::outstanding::{Fault, Outstanding, Part};
use crate::state::pipe::Pipe;
use crate::state::world;
use crate::sys::{Result, addresses, observers};

/// An operation begins, whose node is filled. `attachment` is that of its descriptor, if it has one.
#[cold]
pub(crate) fn begin(attachment: Option<&Inside>, op: OpRef, pipe: &Pipe) {
    // What an operation of Rust's works on is owned by it.
    let is_lent = !pipe.is_typed();
    if is_lent {
        check(op, 0);
    }
    if !observers::is_debug() {
        return;
    }
    let (fd, generation) =
        attachment.map_or((-1, 0), |attachment| (attachment.fd(), attachment.generation.get()));
    let operation = Outstanding::new(op, fd, generation, (pipe.number(), pipe.is_typed()));
    let mut memory = Vec::new();
    if is_lent {
        parts::each(op, |part| {
            if memory.try_reserve(1).is_ok() {
                memory.push(part);
            }
        });
    }
    let overlap = faults::with(|register| register.begin(op, operation, memory)).flatten();
    if let Some(overlap) = overlap {
        let (Part { at, len, .. }, others, other) = (overlap.part, overlap.others, overlap.other);
        faults::report(
            Fault::Overlap,
            fd,
            generation,
            format_args!(
                "{operation}: its {} of {len} bytes at {at:#x} overlaps the {} of {} bytes at {:#x} of {other}, which \
                 is outstanding",
                what(overlap.part),
                what(others),
                others.len,
                others.at,
            ),
        );
    }
}

fn what(part: Part) -> &'static str {
    if part.is_data { "buffer" } else { "struct" }
}

/// An operation is complete; its event follows.
#[cold]
pub(crate) fn complete(op: OpRef, completion: Completion) {
    check_lent(op, written(op, completion));
    if observers::is_debug() {
        faults::with(|register| register.complete(op));
    }
}

/// The event of an operation is harvested.
#[cold]
pub(crate) fn harvest(op: OpRef, completion: Completion) {
    // (Its flags are not there any more; all that was written was checked when it was complete.)
    let moved = if is_received(op) { 0 } else { moved(completion) };
    check_lent(op, moved);
    end(op);
}

/// An operation has ended, and there is no event, or will be none.
#[cold]
pub(crate) fn end(op: OpRef) {
    if observers::is_debug() {
        faults::with(|register| register.end(op));
    }
}

/// It was done at once, or refused.
#[cold]
pub(crate) fn end_at_once(op: OpRef, answer: &Result<Option<Result<usize>>>) {
    if let Ok(Some(result)) = answer {
        check_lent(op, written(op, (*result).into()));
    }
    end(op);
}

fn is_received(op: OpRef) -> bool {
    matches!(op.kind.get(), Kind::Recv | Kind::Recvmsg)
}

fn moved(completion: Completion) -> usize {
    if completion.value == u32::MAX { 0 } else { completion.value as usize }
}

/// What was moved, unless it was discarded (TCP) or may be more than there was room for (datagrams): MSG_TRUNC.
fn written(op: OpRef, completion: Completion) -> usize {
    let is_whole = !is_received(op) || op.arg.get() & libc::MSG_TRUNC == 0;
    if is_whole { moved(completion) } else { 0 }
}

fn check_lent(op: OpRef, moved: usize) {
    let is_lent = world::pipe(op.pipe.get()).is_some_and(|pipe| !pipe.is_typed());
    if is_lent {
        check(op, moved);
    }
}

/// Asks the address sanitizer for the memory of an operation that has moved so many bytes: all that these are in, and
/// the first of what else there is, which tells whether the rest is the program's still, however long the program has
/// said that it is.
fn check(op: OpRef, moved: usize) {
    if !addresses::is_present() || matches!(op.kind.get(), Kind::Posted | Kind::Kept | Kind::Timer) {
        return;
    }
    let mut left = moved;
    parts::each(op, |part| {
        let len = if part.is_data { left.min(part.len).max(1) } else { 1 };
        if part.is_data {
            left = left.saturating_sub(part.len);
        }
        addresses::check(part.at, len, part.is_written);
    });
}
