//! The way of a completion into a lane.

use super::attachment::Locked;
use super::lane::Lane;
use super::op::{OpRef, Ops};
use super::pipe::{COMMON, Pipe};
use crate::sys::{Errno, Result};

/// Where the completions go that a thread causes: to its own lane if it is one that harvests the pipe, else to the
/// common one.
pub(crate) struct Sink {
    pub(crate) pipe: &'static Pipe,
    lane: u32,
    /// The thread is in a harvest and will look at its lane before it leaves.
    harvesting: bool,
}

impl Sink {
    /// For a thread that calls from outside a harvest.
    #[inline]
    pub(crate) fn of_thread(pipe: &'static Pipe) -> Sink {
        let lane = match pipe.find_lane() {
            Some(lane) if pipe.wake.0.is_active(lane) => lane,
            _ => COMMON,
        };
        Sink { pipe, lane, harvesting: false }
    }

    /// For a thread that harvests `pipe` and owns `lane`.
    #[inline]
    pub(crate) fn of_harvest(pipe: &'static Pipe, lane: u32) -> Sink {
        Sink { pipe, lane, harvesting: true }
    }

    #[inline]
    fn lane(&self) -> &'static Lane {
        self.pipe.lane(self.lane)
    }

    fn ops(&self) -> &'static Ops {
        self.pipe.ops()
    }

    /// A free node.
    #[inline]
    pub(crate) fn take_free(&self) -> Result<OpRef> {
        self.lane().lock().take_free(self.ops())
    }

    /// The operation, which is in no queue any more, is complete: its event goes into a lane.
    ///
    /// That is this thread's lane, unless the newest event of the same descriptor is still in another: then it
    /// follows it there, so that events of one descriptor are handed out in their order (rule 2.5).
    #[inline]
    pub(crate) fn complete(&self, attachment: &Locked, op: OpRef, result: Result<usize>) {
        let (value, errno) = match result {
            Ok(value) => (value as u32, 0),
            Err(Errno(errno)) => (u32::MAX, errno),
        };
        op.done.set(value);
        op.arg.set(errno);
        let ours = attachment.pipe.get().is_some_and(|pipe| core::ptr::eq(pipe, self.pipe));
        if !ours || op.pipe.get() != self.pipe.index() {
            return self.complete_elsewhere(op);
        }
        let newest = u32::from(attachment.newest_lane.get());
        if newest != self.lane && self.follow(newest, attachment, op) {
            return;
        }
        let locked = self.lane().lock();
        let was_empty = locked.is_empty();
        let number = locked.push(op);
        if was_empty {
            self.pipe.wake.0.fill(self.lane);
        }
        drop(locked);
        attachment.newest_lane.set(self.lane as u8);
        attachment.newest_number.set(number);
        if was_empty && !self.harvesting {
            self.pipe.announce(self.lane);
        }
    }

    /// Puts the event behind the descriptor's newest one, if that is still in lane `newest`.
    fn follow(&self, newest: u32, attachment: &Locked, op: OpRef) -> bool {
        let lane = self.pipe.lane(newest);
        let number = attachment.newest_number.get();
        if !lane.holds(number) {
            return false;
        }
        let locked = lane.lock();
        if !locked.holds(number) {
            return false;
        }
        // The lane holds an event, so somebody knows of it already.
        attachment.newest_number.set(locked.push(op));
        true
    }

    /// The event belongs to a pipe that the descriptor was attached to before.
    #[cold]
    fn complete_elsewhere(&self, op: OpRef) {
        if let Some(pipe) = self.pipe.by_index(op.pipe.get()) {
            pipe.put_common(op);
        }
    }
}
