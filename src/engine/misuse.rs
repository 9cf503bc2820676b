//! Descriptors that the program has closed by plain close(2), for those who debug it (IOEVENT_DEBUG): found by what is
//! outstanding on them, and by the operations that are given to their numbers.

use super::Engine;
use crate::queue::op::{Kind, OpRef};
use crate::state::attachment::{Attachment, Locked};
use crate::state::faults;
use crate::state::outstanding::{Fault, Outstanding};
use crate::state::pipe::Pipe;
use crate::state::table;
use crate::sys::{fd, nature, observers};
use core::ffi::c_int;

fn is_same_file(attachment: &Locked) -> bool {
    // A pipe that was lost knows nothing of its descriptors any more.
    attachment.pipe().is_none_or(|pipe| !pipe.is_whole() || pipe.engine().is_same_file(attachment))
}

/// An operation, whose node is filled, is given to a number: whether that still is the file that was attached.
#[cold]
pub(crate) fn check_file(attachment: &Locked, op: OpRef, pipe: &Pipe) {
    if !observers::is_debug() || is_same_file(attachment) {
        return;
    }
    let (number, generation) = (attachment.fd(), attachment.generation.get());
    let operation = Outstanding::new(op, number, generation, (pipe.number(), pipe.is_typed()));
    let what = if fd::check_open(number).is_ok() { "is another file now" } else { "is not open" };
    faults::report(
        Fault::Stale,
        number,
        generation,
        format_args!(
            "{operation}: the number {what}; what was attached to pipe {} under it was closed by close(2)",
            pipe.number()
        ),
    );
}

/// It was found out that what was attached under a number is gone: reports what is outstanding there.
#[inline]
pub(crate) fn report_closed(attachment: &Locked) {
    if observers::is_debug() {
        report_outstanding(attachment);
    }
}

#[cold]
fn report_outstanding(attachment: &Locked) {
    let (number, generation) = (attachment.fd(), attachment.generation.get());
    let is_meant = |op: &Outstanding| {
        op.fd == number && op.generation == generation && op.waits && op.kind != Kind::Timer
    };
    let Some((operation, count)) = faults::with(|register| register.oldest(is_meant)).flatten() else {
        return;
    };
    report(&operation, count);
}

fn report(operation: &Outstanding, count: usize) {
    faults::report(
        Fault::Closed,
        operation.fd,
        operation.generation,
        format_args!(
            "descriptor {} was closed by close(2) while {operation} was outstanding{}, pipe {}; ioevent_close is for \
             attached descriptors",
            operation.fd,
            Others(count - 1),
            operation.number,
        ),
    );
}

/// "and 3 others".
pub(crate) struct Others(pub(crate) usize);

impl core::fmt::Display for Others {
    fn fmt(&self, f: &mut core::fmt::Formatter) -> core::fmt::Result {
        match self.0 {
            0 => Ok(()),
            1 => f.write_str(", and 1 other operation"),
            others => write!(f, ", and {others} other operations"),
        }
    }
}

/// The same, if it is gone: before the number is closed.
#[inline]
pub(crate) fn check_closed(attachment: &Locked) {
    if observers::is_debug() && !is_same_file(attachment) {
        report_closed(attachment);
    }
}

/// The program detaches a descriptor.
#[inline]
pub(crate) fn detach(attachment: &Locked) {
    if observers::is_debug() {
        check_closed(attachment);
        let number = attachment.fd();
        faults::with(|register| register.detach(number, nature::identity(number)));
    }
}

/// Looks at the descriptors on which operations wait, whether they are gone. No lock is held.
pub(crate) fn look_for_closed() {
    let mut numbers: Vec<c_int> = Vec::new();
    faults::with(|register| {
        let waiting = || register.all().filter(|op| op.waits && op.kind != Kind::Timer);
        if numbers.try_reserve(waiting().count()).is_ok() {
            numbers.extend(waiting().map(|op| op.fd));
        }
    });
    numbers.sort_unstable();
    numbers.dedup();
    for node in numbers.into_iter().filter_map(table::attached) {
        look_at(node);
    }
}

fn look_at(node: &'static Attachment) {
    let attachment = node.lock();
    if attachment.is_attached() {
        check_closed(&attachment);
    }
    attachment.arm();
}
