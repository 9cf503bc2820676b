//! The alarm: one timerfd for all that has to happen at a time: ticks of the clock, second tries, deadlines and timers.
//!
//! Timers of a pipe come in order of time (rule 2.12), whichever threads expire them: they are put into the common lane,
//! under the lock that guards the heap. Other deadlines are only taken out under it: who ends an operation needs the lock
//! of its attachment, which comes first. In between the operation may end otherwise and its node be used again; so its
//! node says TIME_OVER from the moment when its deadline was taken out until it is complete (`Op::deadline`).

use super::deadlines::{Deadline, Deadlines};
use crate::engine::op::{OpRef, TIME_OVER};
use crate::sys::{Result, epoll as sys, process};
use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, AtomicU64, Ordering::Relaxed};
use parking_lot::Mutex;

/// How long a tick of the clock takes, in nanoseconds. An idle thread takes over after two ticks at the latest, which
/// keeps rule 3.3 ("about 10 ms").
const TICK: u64 = 4_000_000;
/// How soon a write is tried again for which the kernel gives no edge.
const RETRY: u64 = 2_000_000;
const NEVER: u64 = u64::MAX;

struct Times {
    /// When the timerfd goes off.
    armed: u64,
    tick: u64,
    retry: u64,
    /// Number and generation of each descriptor that is to be tried again.
    retries: Vec<(c_int, u32)>,
    deadlines: Deadlines,
}

/// What is due.
pub(super) struct Due {
    pub(super) tick: bool,
    pub(super) retries: Vec<(c_int, u32)>,
}

/// See the module's head.
pub(super) struct Alarm {
    /// Relaxed everywhere: -1, or what `open` has stored before the pipe could be used.
    timerfd: AtomicI32,
    /// The earliest deadline, as of the last change. Relaxed: a harvest that does not wait asks whether one has passed; it
    /// was there before only for who has seen it set.
    first: AtomicU64,
    times: Mutex<Times>,
}

impl Alarm {
    pub(super) const fn new() -> Alarm {
        Alarm { timerfd: AtomicI32::new(-1), first: AtomicU64::new(NEVER), times: Mutex::new(Times::none()) }
    }

    pub(super) fn open(&self, timerfd: c_int) {
        self.timerfd.store(timerfd, Relaxed);
    }

    /// Forgets everything.
    pub(super) fn reset(&self) {
        *self.times.lock() = Times::none();
        self.first.store(NEVER, Relaxed);
    }

    /// Gives the descriptor away.
    pub(super) fn close(&self) -> c_int {
        self.timerfd.swap(-1, Relaxed)
    }

    /// Goes off once, a tick from now.
    pub(super) fn tick(&self) {
        let mut times = self.times.lock();
        times.tick = process::now() + TICK;
        times.arm(self.timerfd.load(Relaxed));
    }

    /// Has the output of a descriptor tried again soon.
    pub(super) fn retry(&self, number: c_int, generation: u32) {
        let mut times = self.times.lock();
        if !times.retries.contains(&(number, generation)) {
            times.retries.push((number, generation));
        }
        if times.retry == NEVER {
            times.retry = process::now() + RETRY;
            times.arm(self.timerfd.load(Relaxed));
        }
    }

    /// It went off: takes out what is due.
    pub(super) fn heard(&self) -> Due {
        let mut times = self.times.lock();
        times.armed = NEVER;
        let now = process::now();
        let mut due = Due { tick: false, retries: Vec::new() };
        if times.tick <= now {
            times.tick = NEVER;
            due.tick = true;
        }
        if times.retry <= now {
            times.retry = NEVER;
            due.retries = core::mem::take(&mut times.retries);
        }
        times.arm(self.timerfd.load(Relaxed));
        due
    }

    /// Enters a deadline.
    pub(super) fn limit(&self, deadline: Deadline) -> Result<()> {
        let mut times = self.times.lock();
        times.deadlines.insert(deadline)?;
        self.set_first(&mut times);
        Ok(())
    }

    /// The operation has no deadline any more.
    pub(super) fn forget(&self, op: OpRef) {
        let mut times = self.times.lock();
        times.deadlines.remove(op);
        // An alarm that was set for it goes off in vain, at most once.
        self.first.store(times.deadlines.first().unwrap_or(NEVER), Relaxed);
    }

    /// Whether the operation's deadline was taken out by `expire`, and nothing has been done about it yet.
    pub(super) fn is_over(&self, op: OpRef) -> bool {
        let _times = self.times.lock();
        op.deadline.get() == TIME_OVER
    }

    /// Whether a deadline has passed.
    #[inline]
    pub(super) fn has_expired(&self) -> bool {
        let first = self.first.load(Relaxed);
        first != NEVER && first <= process::now()
    }

    /// Takes out a deadline that has passed; `timer` is called with each timer before it.
    pub(super) fn expire(&self, mut timer: impl FnMut(OpRef)) -> Option<Deadline> {
        let mut times = self.times.lock();
        let now = process::now();
        let due = loop {
            match times.deadlines.pop(now) {
                Some(due) if due.is_timer() => timer(due.op),
                due => break due,
            }
        };
        self.set_first(&mut times);
        due
    }

    /// Takes out the timers for which `pick` says true, in order of time.
    pub(super) fn take_timers(&self, pick: impl Fn(OpRef) -> bool, mut each: impl FnMut(OpRef)) {
        let mut times = self.times.lock();
        times.deadlines.take_out(|entry| entry.is_timer() && pick(entry.op), |entry| each(entry.op));
        self.first.store(times.deadlines.first().unwrap_or(NEVER), Relaxed);
    }

    fn set_first(&self, times: &mut Times) {
        self.first.store(times.deadlines.first().unwrap_or(NEVER), Relaxed);
        times.arm(self.timerfd.load(Relaxed));
    }
}

impl Times {
    const fn none() -> Times {
        Times { armed: NEVER, tick: NEVER, retry: NEVER, retries: Vec::new(), deadlines: Deadlines::new() }
    }

    /// Sees to it that the timerfd goes off in time. One that goes off sooner is left alone: setting it again would
    /// take back an expiry that nobody has heard yet.
    fn arm(&mut self, timerfd: c_int) {
        let next = self.tick.min(self.retry).min(self.deadlines.first().unwrap_or(NEVER));
        if next < self.armed {
            self.armed = next;
            let _ = sys::arm(timerfd, next);
        }
    }
}
