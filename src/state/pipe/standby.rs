//! Which threads of a pipe are on standby, and what the watchdog has to know of that.
//!
//! # Standby
//!
//! While all threads that harvest a pipe can only run on one and the same processor, one of them is enough to wait in
//! the kernel (`waiters`). Each leaves a note of its processor when it gets a lane (`processor`), and looks again
//! before it goes on standby, because that may be changed from outside; the watchdog calls one from time to time so
//! that it does. Whether threads may be on standby at all is up to the watchdog, which looks after them (`watchdog`).

use super::{COMMON, NO_PROCESSOR, Pipe, SEVERAL_PROCESSORS};
use crate::sync::access::Shared;
use crate::sync::wake::bit;
use crate::sys::{Errno, Result, process};
use core::sync::atomic::Ordering::{Relaxed, SeqCst};

impl Pipe {
    /// Whether some thread harvests now, and is not only on standby.
    pub(crate) fn is_attended(&self) -> bool {
        self.users.0.count() > self.wake.0.waiters.on_standby()
    }

    pub(crate) fn has_standby(&self) -> bool {
        self.wake.0.waiters.on_standby() > 0
    }

    /// Whether threads are on standby here, or might be.
    pub(crate) fn does_one_wait(&self) -> bool {
        self.wake.0.waiters.does_one_wait()
    }

    /// Lets one thread in the kernel be enough, if all run on one processor, and the watchdog looks after them.
    pub(crate) fn let_one_wait(&self) {
        let waiters = &self.wake.0.waiters;
        let may_be_on_standby =
            || self.processor.load(Relaxed) >= 0 && self.is_known() && !self.relieved.load(Relaxed);
        if may_be_on_standby() && !waiters.does_one_wait() {
            waiters.let_one_wait(true);
            // Something may have changed meanwhile.
            if !may_be_on_standby() {
                self.let_all_wait();
            }
        }
    }

    /// All that harvest are to wait in the kernel.
    fn let_all_wait(&self) {
        self.wake.0.waiters.let_one_wait(false);
        self.wake.0.waiters.call_all(&self.poller);
    }

    /// No thread has come back to poll the kernel for long: one on standby is called, or all are, and then none is on
    /// standby again for now. What the busy ones have left in their lanes is for those that were called, too.
    pub(crate) fn relieve(&self, all: bool) {
        let mut lanes = self.wake.0.filled() & !bit(COMMON);
        while lanes != 0 {
            self.mark_absent(lanes.trailing_zeros());
            lanes &= lanes - 1;
        }
        if all {
            self.relieved.store(true, Relaxed);
            self.let_all_wait();
        } else {
            self.wake.0.waiters.call_one(&self.poller);
        }
    }

    /// That was long enough ago.
    pub(crate) fn end_relief(&self) {
        self.relieved.store(false, Relaxed);
        self.let_one_wait();
    }

    /// Calls one on standby, which will see whether that still is right.
    pub(crate) fn review_standby(&self) {
        self.wake.0.waiters.call_one(&self.poller);
    }

    /// Whether all that harvest run on one and the same processor.
    pub(crate) fn is_on_one_processor(&self) -> bool {
        self.processor.load(Relaxed) >= 0
    }

    /// The calling thread, which harvests, notes which processor it runs on. False if there are several in use.
    pub(crate) fn note_processor(&self) -> bool {
        let mine = process::only_processor().map_or(SEVERAL_PROCESSORS, i64::from);
        let noted = match self.processor.compare_exchange(NO_PROCESSOR, mine, Relaxed, Relaxed) {
            Ok(_) => mine,
            Err(noted) if noted == mine => mine,
            Err(_) => {
                self.processor.store(SEVERAL_PROCESSORS, Relaxed);
                SEVERAL_PROCESSORS
            }
        };
        if noted == SEVERAL_PROCESSORS && self.does_one_wait() {
            self.let_all_wait();
        }
        noted != SEVERAL_PROCESSORS
    }

    /// Waits on standby, where `park` has sent the calling thread, until `deadline` (CLOCK_MONOTONIC, in nanoseconds)
    /// at most: Ok when it is to look itself. EINTR, ETIMEDOUT; EBADF if the pipe is closed.
    pub(crate) fn wait_on_standby(&self, deadline: Option<u64>) -> Result<()> {
        let waiters = &self.wake.0.waiters;
        if self.is_closing() || !self.note_processor() {
            waiters.step_out(&self.poller);
            return if self.is_closing() { Err(Errno::EBADF) } else { Ok(()) };
        }
        // It may be the last that was not on standby.
        self.watchdog.pipe_left();
        let outcome = waiters.wait_on_standby(&self.poller, deadline);
        if outcome.is_ok() {
            self.wake.0.unpark::<Shared>();
        }
        // It attends the pipe again.
        self.begin_harvest();
        outcome
    }

    /// Whether another thread than the caller uses the pipe.
    pub(crate) fn has_other_users(&self) -> bool {
        !self.users.0.is_only_one()
    }

    pub(crate) fn harvests(&self) -> u32 {
        self.harvests.load(Relaxed)
    }

    pub(crate) fn is_known(&self) -> bool {
        self.known.load(Relaxed)
    }

    pub(crate) fn make_known(&self) {
        self.known.store(true, Relaxed);
    }

    pub(crate) fn set_watched(&self, watched: bool) {
        self.watched.store(watched, SeqCst);
    }

    /// A harvest begins, whose thread is among the users.
    #[inline]
    pub(crate) fn begin_harvest(&self) {
        self.count_harvest();
        if self.watched.load(SeqCst) {
            self.watchdog.wait();
        }
    }
}
