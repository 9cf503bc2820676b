//! What comes to its time: second tries, deadlines and timers. See `queue::alarm`.

use super::arming;
use super::completions::Completions;
use super::{Engine, limits};
use crate::queue::counts::Count;
use crate::queue::deadlines::Deadline;
use crate::queue::op::{Completion, OpRef, TIMED};
use crate::state::attachment::{Locked, PAUSED_INPUT, PAUSED_OUTPUT};
use crate::state::pipe::Pipe;
use crate::state::{table, world};
use crate::sys::{Errno, Result, process};

/// The alarm of the pipe went off. Whether the steal timer ticked.
pub(crate) fn alarm_went_off(out: &Completions) -> bool {
    let alarm = &out.pipe.engine().alarm;
    let tick = alarm.heard();
    expire(out);
    while let Some(retry) = alarm.due_retry() {
        let attachment = arming::lock_attached(retry.number);
        if let Some(attachment) = attachment.filter(|found| found.generation.get() == retry.generation) {
            try_again(&attachment, retry.side, out);
            attachment.arm();
        }
    }
    if alarm.is_sweep_due() {
        for node in table::attachments() {
            let attachment = node.lock();
            if is_of(&attachment, out.pipe) {
                for side in [PAUSED_INPUT, PAUSED_OUTPUT] {
                    try_again(&attachment, side, out);
                }
            }
            attachment.arm();
        }
    }
    alarm.set_again();
    tick
}

fn is_of(attachment: &Locked, pipe: &'static Pipe) -> bool {
    attachment.pipe().is_some_and(|its| core::ptr::eq(its, pipe))
}

/// One side of a descriptor has paused for long enough, if it has.
fn try_again(attachment: &Locked, side: u16, out: &Completions) {
    let queue = if side == PAUSED_INPUT { &attachment.input } else { &attachment.output };
    // The bit is gone too where something else of the descriptor has made a try and given up again (`assume_ready`).
    if attachment.has(side) || !queue.is_empty() {
        attachment.clear(side);
        attachment.assume_ready_for(side);
        out.pipe.engine().resume(attachment, out);
    }
}

/// Ends whatever has a deadline that has passed.
pub(crate) fn expire(out: &Completions) {
    let alarm = &out.pipe.engine().alarm;
    while let Some(entry) = alarm.due_limit() {
        if let Some(node) = table::attached(entry.number) {
            let attachment = node.lock_quietly();
            if is_of(&attachment, out.pipe) {
                limits::review(&attachment, entry);
            }
        }
    }
    let (mut first, mut expired) = (false, 0);
    let mut end_timer = |timer| {
        first |= out.ready_timer(timer, Ok(0));
        expired += 1;
    };
    while let Some(due) = alarm.expire(&mut end_timer) {
        end_late(due, out);
    }
    if expired > 0 {
        out.count(Count::Expired, expired);
    }
    if first {
        out.announce_common();
    }
}

/// The time of an operation is over. It may be complete by now, and its node another's.
fn end_late(due: Deadline, out: &Completions) {
    let Some((node, generation)) = table::by_word(due.attachment) else { return };
    let attachment = node.lock();
    if !attachment.is_attached() || attachment.generation.get() != generation {
        return;
    }
    for queue in [&attachment.input, &attachment.output, &attachment.unordered] {
        let late = |op: OpRef| {
            core::ptr::eq(op, due.op)
                && op.pipe.get() == out.pipe.index()
                && is_late_in(out.pipe, op)
                && out.pipe.engine().retract(op)
        };
        queue.take_out(late, |op| {
            attachment.assume_ready();
            out.complete(&attachment, op, Completion::early(op, Errno::ETIMEDOUT));
        });
    }
    out.pipe.engine().resume(&attachment, out);
    attachment.arm();
}

fn is_late_in(pipe: &Pipe, op: OpRef) -> bool {
    op.has(TIMED) && pipe.engine().alarm.is_over(op)
}

/// Whether the time of an operation, of whatever pipe, is over.
pub(crate) fn is_late(op: OpRef) -> bool {
    world::pipe(op.pipe.get()).is_some_and(|pipe| is_late_in(pipe, op))
}

/// A timer of the pipe: an event at `time`.
pub(crate) fn add_timer(op: OpRef, time: u64, out: &Completions) -> Result<()> {
    let alarm = &out.pipe.engine().alarm;
    alarm.limit(Deadline { time, op, attachment: 0 })?;
    if alarm.has_expired() {
        expire(out);
    }
    Ok(())
}

/// Ends the timers, or those with this user pointer; returns how many.
pub(crate) fn cancel_timers(user: Option<usize>, out: &Completions) -> usize {
    let (mut ended, mut first) = (0, false);
    // One whose time is over has expired, though no thread has harvested it.
    out.pipe.engine().alarm.take_timers(user, process::now(), |op| {
        first |= out.ready_timer(op, Err(Errno::ECANCELED));
        ended += 1;
    });
    if first {
        out.announce_common();
    }
    ended
}
