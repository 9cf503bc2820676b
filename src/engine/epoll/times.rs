//! What comes to its time: second tries, deadlines and timers. See `alarm`.

use super::Epoll;
use crate::engine::completions::Sink;
use crate::engine::{Engine, limits};
use crate::queue::deadlines::Deadline;
use crate::queue::op::{Completion, OpRef, TIMED};
use crate::state::attachment::{self, Locked, PAUSED_INPUT, PAUSED_OUTPUT};
use crate::state::table;
use crate::sys::{Errno, Result, process};

impl Epoll {
    pub(crate) fn clock(&self, sink: &Sink) -> bool {
        let tick = self.alarm.heard();
        self.expire(sink);
        while let Some(retry) = self.alarm.due_retry() {
            if let Some(attachment) = attachment::find(retry.number)
                && attachment.generation.get() == retry.generation
            {
                self.try_again(&attachment, retry.side, sink);
                attachment.arm();
            }
        }
        if self.alarm.is_sweep_due() {
            for node in table::attachments() {
                let attachment = node.lock();
                if attachment.pipe().is_some_and(|pipe| core::ptr::eq(pipe, sink.pipe)) {
                    for side in [PAUSED_INPUT, PAUSED_OUTPUT] {
                        self.try_again(&attachment, side, sink);
                    }
                }
                attachment.arm();
            }
        }
        self.alarm.set_again();
        tick
    }

    /// One side of a descriptor has paused for long enough, if it has.
    fn try_again(&self, attachment: &Locked, side: u16, sink: &Sink) {
        let queue = if side == PAUSED_INPUT { &attachment.input } else { &attachment.output };
        // The bit is gone too where something else of the descriptor has made a try and given up again
        // (`assume_ready`).
        if attachment.has(side) || !queue.is_empty() {
            attachment.clear(side);
            attachment.assume_ready_for(side);
            self.proceed(attachment, sink);
        }
    }

    /// Ends whatever has a deadline that has passed.
    pub(crate) fn expire(&self, sink: &Sink) {
        while let Some(entry) = self.alarm.due_limit() {
            if let attachment::Entry::Attachment(node) = table::get(entry.number) {
                let attachment = node.lock_quietly();
                if attachment.pipe().is_some_and(|pipe| core::ptr::eq(pipe, sink.pipe)) {
                    limits::look_at(&attachment, entry);
                }
            }
        }
        let mut first = false;
        while let Some(due) = self.alarm.expire(|timer| first |= sink.ready_timer(timer, Ok(0))) {
            self.end_late(due, sink);
        }
        if first {
            sink.announce_common();
        }
    }

    /// When an operation is to end, if its time has not come.
    pub(crate) fn time_of(&self, op: OpRef) -> Option<u64> {
        self.alarm.time_of(op)
    }

    /// Enters a time at which the limit of a descriptor is to be looked at; ENOMEM, or EBADF.
    pub(crate) fn enter_limit(&self, entry: limits::Entry) -> Result<()> {
        self.alarm.enter_limit(entry)
    }

    /// The time of an operation is over. It may be complete by now, and its node another's.
    fn end_late(&self, due: Deadline, sink: &Sink) {
        let Some((node, generation)) = table::by_word(due.attachment) else { return };
        let attachment = node.lock();
        if !attachment.is_attached() || attachment.generation.get() != generation {
            return;
        }
        for queue in [&attachment.input, &attachment.output, &attachment.unordered] {
            let late = |op: OpRef| {
                core::ptr::eq(op, due.op)
                    && op.pipe.get() == sink.pipe.index()
                    && self.is_late(op)
                    && sink.pipe.may_end(op)
            };
            queue.take_out(late, |op| {
                attachment.assume_ready();
                sink.complete(&attachment, op, Completion::early(op, Errno::ETIMEDOUT));
            });
        }
        self.proceed(&attachment, sink);
        attachment.arm();
    }

    /// Whether the time of an operation of this pipe is over.
    pub(crate) fn is_late(&self, op: OpRef) -> bool {
        op.has(TIMED) && self.alarm.is_over(op)
    }

    /// A timer of the pipe: an event at `time`.
    pub(crate) fn add_timer(&self, op: OpRef, time: u64, sink: &Sink) -> Result<()> {
        self.alarm.limit(Deadline { time, op, attachment: 0 })?;
        if self.is_past_time() {
            self.look_at_clock(sink);
        }
        Ok(())
    }

    /// Ends the timers, or those with this user pointer; returns how many.
    pub(crate) fn cancel_timers(&self, user: Option<usize>, sink: &Sink) -> usize {
        let (mut ended, mut first) = (0, false);
        // One whose time is over has expired, though nobody has harvested it.
        self.alarm.take_timers(user, process::now(), |op| {
            first |= sink.ready_timer(op, Err(Errno::ECANCELED));
            ended += 1;
        });
        if first {
            sink.announce_common();
        }
        ended
    }

    /// The pipe is being closed: forgets all deadlines, and hands the timers to `each`.
    pub(crate) fn drop_timers(&self, each: impl FnMut(OpRef)) {
        self.alarm.take_timers(None, 0, each);
        self.alarm.reset();
    }
}
