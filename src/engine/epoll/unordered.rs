//! Operations that stand outside the order of reads and writes.

use super::attempt;
use super::blocking;
use super::interest::{self, watch_output};
use super::parked::watch_apart;
use super::run::{BEFORE_SYNC, Worked, after_work, complete, input, output};
use super::step::{Outcome, Step};
use crate::engine::completions::Completions;
use crate::queue::op::{IN_KERNEL, Kind, OpRef};
use crate::state::attachment::{Locked, READABLE, WRITABLE};
use crate::state::file_class::Class;

/// A new operation outside the order.
pub(crate) fn submit_unordered(attachment: &Locked, op: OpRef, out: &Completions) {
    match attempt::unordered(attachment, op) {
        Step::Done(r) => complete(attachment, op, r, out),
        Step::Part(done, _) => complete(attachment, op, Ok(done), out),
        Step::Wait | Step::Retry => wait_unordered(attachment, op, out),
        Step::Work => {
            attachment.unordered.push(op);
            if let Some(outcome) = blocking::work_on(attachment, op) {
                attachment.unordered.take_out(|other| core::ptr::eq(other, op), |_| {});
                worked_unordered(attachment, op, outcome, out);
            }
        }
    }
}

/// Goes on with polls, for a descriptor of which the kernel has just said `events`. Some tell of a thing only once, and
/// not again when poll(2) asks; of the others it may be over by now, so they are asked again.
pub(crate) fn polls(attachment: &Locked, events: u32, out: &Completions) {
    let told = match attachment.class.get() {
        Class::File | Class::Special | Class::Perf => events as u16,
        _ => 0,
    };
    attachment.unordered.take_out(
        |op| op.kind.get() == Kind::Poll,
        |op| match told & attempt::polled_for(op) {
            0 => submit_unordered(attachment, op, out),
            told => complete(attachment, op, Ok(told.into()), out),
        },
    );
}

/// Whether a poll waits for some of these.
pub(crate) fn waits_for(attachment: &Locked, events: u32) -> bool {
    attachment.unordered.any(|op| op.kind.get() == Kind::Poll && attempt::polled_for(op) & events as u16 != 0)
}

/// An operation outside the order has found nothing and waits.
fn wait_unordered(attachment: &Locked, op: OpRef, out: &Completions) {
    attachment.unordered.push(op);
    let events = match op.kind.get() {
        Kind::Poll => op.arg.get() as i16,
        Kind::Pwrite | Kind::Pwritev => libc::POLLOUT,
        _ => libc::POLLIN,
    };
    if events as u32 & interest::OUTPUT != 0 {
        watch_output(attachment);
    }
    watch_apart(attachment, op, events, out);
}

/// A descriptor that is polled apart is ready for these. False if no operation waited for that.
pub(crate) fn told_apart(attachment: &Locked, events: i16, out: &Completions) -> bool {
    let is_asked_for =
        |op: OpRef| op.kind.get() != Kind::Poll || attempt::polled_for(op) & events as u16 != 0;
    let was_told = [&attachment.input, &attachment.output, &attachment.unordered]
        .iter()
        .any(|queue| !queue.is_empty() && queue.any(is_asked_for));
    polls(attachment, events as u16 as u32, out);
    attachment.mark(READABLE | WRITABLE);
    input(attachment, out);
    output(attachment, out);
    unordered(attachment, out);
    was_told
}

/// Goes on with what stands outside the order.
pub(crate) fn unordered(attachment: &Locked, out: &Completions) {
    let waiting = attachment.unordered.take();
    let mut is_awaited = false;
    while let Some(op) = waiting.pop() {
        if op.has(IN_KERNEL) {
            attachment.unordered.push(op);
        } else {
            is_awaited |= op.has(BEFORE_SYNC);
            submit_unordered(attachment, op, out);
        }
    }
    if is_awaited {
        output(attachment, out);
    }
}

/// A worker is done with an operation outside the order, which is in no queue any more.
pub(crate) fn worked_unordered(attachment: &Locked, op: OpRef, outcome: Outcome, out: &Completions) {
    match after_work(op, outcome) {
        Worked::Completion(completion) => out.complete(attachment, op, completion),
        Worked::Wait => wait_unordered(attachment, op, out),
        Worked::Again => submit_unordered(attachment, op, out),
    }
    // A sync may have waited for it.
    output(attachment, out);
}
