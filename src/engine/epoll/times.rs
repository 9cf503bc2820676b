//! What comes to its time: second tries, deadlines and timers. See `alarm`.

use super::Epoll;
use crate::engine::completions::Completions;
use crate::engine::{Engine, limits};
use crate::queue::deadlines::Deadline;
use crate::queue::limit_entry::LimitEntry;
use crate::queue::op::{Completion, OpRef, TIMED};
use crate::state::attachment::{self, Locked, PAUSED_INPUT, PAUSED_OUTPUT};
use crate::state::table;
use crate::sys::{Errno, Result, process};

impl Epoll {
    pub(crate) fn clock(&self, out: &Completions) -> bool {
        let tick = self.alarm.heard();
        self.expire(out);
        while let Some(retry) = self.alarm.due_retry() {
            if let Some(attachment) = attachment::find(retry.number)
                && attachment.generation.get() == retry.generation
            {
                self.try_again(&attachment, retry.side, out);
                attachment.arm();
            }
        }
        if self.alarm.is_sweep_due() {
            for node in table::attachments() {
                let attachment = node.lock();
                if attachment.pipe().is_some_and(|pipe| core::ptr::eq(pipe, out.pipe)) {
                    for side in [PAUSED_INPUT, PAUSED_OUTPUT] {
                        self.try_again(&attachment, side, out);
                    }
                }
                attachment.arm();
            }
        }
        self.alarm.set_again();
        tick
    }

    /// One side of a descriptor has paused for long enough, if it has.
    fn try_again(&self, attachment: &Locked, side: u16, out: &Completions) {
        let queue = if side == PAUSED_INPUT { &attachment.input } else { &attachment.output };
        // The bit is gone too where something else of the descriptor has made a try and given up again
        // (`assume_ready`).
        if attachment.has(side) || !queue.is_empty() {
            attachment.clear(side);
            attachment.assume_ready_for(side);
            self.proceed(attachment, out);
        }
    }

    /// Ends whatever has a deadline that has passed.
    pub(crate) fn expire(&self, out: &Completions) {
        while let Some(entry) = self.alarm.due_limit() {
            if let attachment::Entry::Attachment(node) = table::get(entry.number) {
                let attachment = node.lock_quietly();
                if attachment.pipe().is_some_and(|pipe| core::ptr::eq(pipe, out.pipe)) {
                    limits::look_at(&attachment, entry);
                }
            }
        }
        let mut first = false;
        while let Some(due) = self.alarm.expire(|timer| first |= out.ready_timer(timer, Ok(0))) {
            self.end_late(due, out);
        }
        if first {
            out.announce_common();
        }
    }

    /// When an operation is to end, if its time has not come.
    pub(crate) fn time_of(&self, op: OpRef) -> Option<u64> {
        self.alarm.time_of(op)
    }

    /// Enters a time at which the limit of a descriptor is to be looked at; ENOMEM, or EBADF.
    pub(crate) fn enter_limit(&self, entry: LimitEntry) -> Result<()> {
        self.alarm.enter_limit(entry)
    }

    /// The time of an operation is over. It may be complete by now, and its node another's.
    fn end_late(&self, due: Deadline, out: &Completions) {
        let Some((node, generation)) = table::by_word(due.attachment) else { return };
        let attachment = node.lock();
        if !attachment.is_attached() || attachment.generation.get() != generation {
            return;
        }
        for queue in [&attachment.input, &attachment.output, &attachment.unordered] {
            let late = |op: OpRef| {
                core::ptr::eq(op, due.op)
                    && op.pipe.get() == out.pipe.index()
                    && self.is_late(op)
                    && out.pipe.may_end(op)
            };
            queue.take_out(late, |op| {
                attachment.assume_ready();
                out.complete(&attachment, op, Completion::early(op, Errno::ETIMEDOUT));
            });
        }
        self.proceed(&attachment, out);
        attachment.arm();
    }

    /// Whether the time of an operation of this pipe is over.
    pub(crate) fn is_late(&self, op: OpRef) -> bool {
        op.has(TIMED) && self.alarm.is_over(op)
    }

    /// A timer of the pipe: an event at `time`.
    pub(crate) fn add_timer(&self, op: OpRef, time: u64, out: &Completions) -> Result<()> {
        self.alarm.limit(Deadline { time, op, attachment: 0 })?;
        if self.is_past_time() {
            self.expire_due(out);
        }
        Ok(())
    }

    /// Ends the timers, or those with this user pointer; returns how many.
    pub(crate) fn cancel_timers(&self, user: Option<usize>, out: &Completions) -> usize {
        let (mut ended, mut first) = (0, false);
        // One whose time is over has expired, though nobody has harvested it.
        self.alarm.take_timers(user, process::now(), |op| {
            first |= out.ready_timer(op, Err(Errno::ECANCELED));
            ended += 1;
        });
        if first {
            out.announce_common();
        }
        ended
    }

    /// The pipe is being closed: forgets all deadlines, and hands the timers to `each`.
    pub(crate) fn drop_timers(&self, each: impl FnMut(OpRef)) {
        self.alarm.take_timers(None, 0, each);
        self.alarm.reset();
    }
}
