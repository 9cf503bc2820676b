//! The alarm: one timerfd for all that has to happen at a time.

use crate::sys::{epoll as sys, process};
use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, Ordering::Relaxed};
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
    times: Mutex<Times>,
}

impl Alarm {
    pub(super) const fn new() -> Alarm {
        Alarm { timerfd: AtomicI32::new(-1), times: Mutex::new(Times::none()) }
    }

    pub(super) fn open(&self, timerfd: c_int) {
        self.timerfd.store(timerfd, Relaxed);
    }

    /// Forgets everything.
    pub(super) fn reset(&self) {
        *self.times.lock() = Times::none();
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
}

impl Times {
    const fn none() -> Times {
        Times { armed: NEVER, tick: NEVER, retry: NEVER, retries: Vec::new() }
    }

    /// Sees to it that the timerfd goes off in time. One that goes off sooner is left alone: setting it again would
    /// take back an expiry that nobody has heard yet.
    fn arm(&mut self, timerfd: c_int) {
        let next = self.tick.min(self.retry);
        if next < self.armed {
            self.armed = next;
            let _ = sys::arm(timerfd, next);
        }
    }
}
