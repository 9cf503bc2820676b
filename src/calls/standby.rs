//! Lanes for threads that harvest, and which of these threads are on standby.
//!
//! # Standby
//!
//! While all threads that harvest a pipe can only run on one and the same processor, one of them is enough to wait in
//! the kernel (`waiters`). Each leaves a note of its processor when it gets a lane (`Attendance::note_processor`), and
//! looks again before it goes on standby, because that may be changed from outside; the watchdog calls one from time to
//! time so that it does. Whether threads may be on standby at all is up to the watchdog, which looks after them
//! (`watchdog`).

use crate::queue::lanes::COMMON;
use crate::state::pipe::Pipe;
use crate::sync::access::{self, Shared};
use crate::sync::wake::bit;
use crate::sys::{Errno, Result, process, thread_pointer};

/// The lane of the calling thread, which harvests: given to it if it has none. When all are given away that is the
/// common one.
#[inline(always)]
pub(super) fn claim_lane(pipe: &Pipe) -> u32 {
    pipe.queue.lanes.find_at_once().unwrap_or_else(|| claim_lane_slow(pipe))
}

#[cold]
fn claim_lane_slow(pipe: &Pipe) -> u32 {
    let thread = thread_pointer::thread_pointer();
    let queue = &pipe.queue;
    loop {
        match queue.lanes.search(thread) {
            Ok(lane) => {
                queue.lanes.come_to(lane, thread, access::is_home());
                queue.wake.0.activate(lane);
                return lane;
            }
            Err(None) => return COMMON,
            Err(Some(free)) => {
                if queue.lanes.give(free, thread) {
                    note_processor(pipe);
                    let_one_wait(pipe);
                }
            }
        }
    }
}

/// Lets one thread in the kernel be enough, if all run on one processor, and the watchdog looks after them.
pub(super) fn let_one_wait(pipe: &Pipe) {
    let waiters = &pipe.queue.wake.0.waiters;
    if pipe.attendance.may_have_standby() && !waiters.does_one_wait() {
        waiters.let_one_wait(true);
        // Something may have changed meanwhile.
        if !pipe.attendance.may_have_standby() {
            let_all_wait(pipe);
        }
    }
}

/// All that harvest are to wait in the kernel.
fn let_all_wait(pipe: &Pipe) {
    let waiters = &pipe.queue.wake.0.waiters;
    waiters.let_one_wait(false);
    waiters.call_all(pipe.engine());
}

/// No thread has come back to poll the kernel for long: one on standby is called, or all are, and then none is on
/// standby again for now. What the busy ones have left in their lanes is for those that were called, too.
pub(super) fn relieve(pipe: &Pipe, all: bool) {
    let mut lanes = pipe.queue.wake.0.filled() & !bit(COMMON);
    while lanes != 0 {
        pipe.queue.mark_absent(lanes.trailing_zeros());
        lanes &= lanes - 1;
    }
    if all {
        pipe.attendance.set_relieved(true);
        let_all_wait(pipe);
    } else {
        review(pipe);
    }
}

/// That was long enough ago.
pub(super) fn end_relief(pipe: &Pipe) {
    pipe.attendance.set_relieved(false);
    let_one_wait(pipe);
}

/// Calls one on standby, which will see whether that still is right.
pub(super) fn review(pipe: &Pipe) {
    pipe.queue.wake.0.waiters.call_one(pipe.engine());
}

/// The calling thread, which harvests, notes which processor it runs on. False if there are several in use.
fn note_processor(pipe: &Pipe) -> bool {
    let is_one = pipe.attendance.note_processor(process::only_processor());
    if !is_one && pipe.queue.wake.0.waiters.does_one_wait() {
        let_all_wait(pipe);
    }
    is_one
}

/// Waits on standby, where `park` has sent the calling thread, until `deadline` (CLOCK_MONOTONIC, in nanoseconds) at
/// most: Ok when it is to look itself. EINTR, ETIMEDOUT; EBADF if the pipe is closed.
pub(super) fn wait(pipe: &Pipe, deadline: Option<u64>) -> Result<()> {
    let waiters = &pipe.queue.wake.0.waiters;
    if pipe.is_closing() || !note_processor(pipe) {
        waiters.step_out(pipe.engine());
        return if pipe.is_closing() { Err(Errno::EBADF) } else { Ok(()) };
    }
    // It may be the last that was not on standby.
    pipe.attendance.watchdog.pipe_left();
    let outcome = waiters.wait_on_standby(pipe.engine(), deadline);
    if outcome.is_ok() {
        pipe.queue.wake.0.unpark::<Shared>();
    }
    // It attends the pipe again.
    pipe.attendance.begin_harvest();
    outcome
}
