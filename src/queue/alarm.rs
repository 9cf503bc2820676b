//! The alarm: one timerfd for all that has to happen at a time: the steal timer, second tries, deadlines and timers.
//!
//! *Second tries.* Some descriptors are ready by poll(2) and yet do not let an operation finish: a Unix datagram socket
//! whose receiver is full, a driver with a wrong poll method. To try again at each edge would never end, since a try
//! can make the next edge; and there may be no edge at all. So such an operation is tried again after a pause, which
//! doubles with each try in vain, and edges do not count in between (`PAUSED_INPUT`, `PAUSED_OUTPUT` in the
//! attachment).
//!
//! Timers of a pipe come in order of time (rule 2.12), whichever threads expire them: they are put into the common
//! lane, under the lock that guards the heap. Other deadlines are only taken out under it: a thread that ends an
//! operation needs the lock of its attachment, which comes first. In between the operation may end otherwise and its
//! node be used again; so its node says TIME_OVER from the moment when its deadline was taken out until it is complete
//! (`Op::deadline`).

use super::deadlines::{Deadline, Deadlines};
use super::limit_entry::LimitEntry;
use super::op::OpRef;
use crate::sync::lock::{Mutex, MutexGuard};
use crate::sys::{Errno, Result, epoll as sys, process, race};
use core::cmp::Reverse;
use core::ffi::c_int;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicI32, AtomicU64, Ordering::Relaxed};
use std::collections::BinaryHeap;

/// How long the steal timer runs, in nanoseconds. An idle thread takes over after two ticks at the latest, which
/// keeps rule 3.3 ("about 10 ms").
const TICK: u64 = 4_000_000;
/// The first pause before a second try, in nanoseconds.
const PAUSE: u64 = 1_000_000;
/// How often it doubles: up to 64 ms.
const MOST_DOUBLINGS: u8 = 6;
const NEVER: u64 = u64::MAX;

struct Times {
    /// When the timerfd goes off.
    armed: u64,
    tick: u64,
    /// The earliest on top.
    retries: BinaryHeap<Reverse<Retry>>,
    /// When all descriptors that wait for a second try have it.
    sweep: u64,
    deadlines: Deadlines,
    /// When the limits of descriptors are to be looked at, the earliest on top.
    limits: BinaryHeap<LimitEntry>,
}

/// A descriptor that is to be tried again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Retry {
    time: u64,
    pub(crate) number: c_int,
    pub(crate) generation: u32,
    /// PAUSED_INPUT or PAUSED_OUTPUT.
    pub(crate) side: u16,
}

/// See `Alarm::lock_to_allocate`.
struct Allocating<'a> {
    times: MutexGuard<'a, Times>,
    key: usize,
}

impl Deref for Allocating<'_> {
    type Target = Times;
    fn deref(&self) -> &Times {
        &self.times
    }
}

impl DerefMut for Allocating<'_> {
    fn deref_mut(&mut self) -> &mut Times {
        &mut self.times
    }
}

impl Drop for Allocating<'_> {
    fn drop(&mut self) {
        race::release(self.key);
    }
}

/// See the module's head.
pub(crate) struct Alarm {
    /// Relaxed everywhere: -1, or what `open` has stored before the pipe could be used.
    timerfd: AtomicI32,
    /// The epoll instance that it is registered with.
    epfd: AtomicI32,
    /// The earliest deadline, as of the last change. Relaxed: a harvest that does not wait asks whether one has passed;
    /// it was there before only for a thread that has seen it set.
    first: AtomicU64,
    times: Mutex<Times>,
}

impl Alarm {
    pub(crate) const fn new() -> Alarm {
        Alarm {
            timerfd: AtomicI32::new(-1),
            epfd: AtomicI32::new(-1),
            first: AtomicU64::new(NEVER),
            times: Mutex::new(Times::none()),
        }
    }

    pub(crate) fn open(&self, timerfd: c_int, epfd: c_int) {
        self.epfd.store(epfd, Relaxed);
        self.timerfd.store(timerfd, Relaxed);
    }

    /// Locks, for what may allocate or free. A race detector that does not see the lock sees the memory being given
    /// from one thread to another, and is told.
    fn lock_to_allocate(&self) -> Allocating<'_> {
        let times = self.times.lock();
        let key = core::ptr::from_ref(&*times) as usize;
        race::acquire(key);
        Allocating { times, key }
    }

    /// Forgets everything.
    pub(crate) fn reset(&self) {
        *self.lock_to_allocate() = Times::none();
        self.first.store(NEVER, Relaxed);
    }

    /// The number of the descriptor.
    pub(crate) fn number(&self) -> c_int {
        self.timerfd.load(Relaxed)
    }

    /// The kernel has just given these numbers out to others.
    pub(crate) fn lose(&self, numbers: &[c_int]) {
        if numbers.contains(&self.number()) {
            self.timerfd.store(-1, Relaxed);
        }
    }

    /// Gives the descriptor away.
    pub(crate) fn close(&self) -> c_int {
        self.timerfd.swap(-1, Relaxed)
    }

    /// Goes off once, a tick from now.
    pub(crate) fn tick(&self) {
        let mut times = self.times.lock();
        times.tick = process::now() + TICK;
        let _ = self.arm(&mut times);
    }

    /// Has the first operation of one side of a descriptor, `op`, tried again after a pause. Without memory for a note
    /// all descriptors that wait for a second try are gone through then.
    pub(crate) fn retry(&self, number: c_int, generation: u32, side: u16, op: OpRef) -> Result<()> {
        let mut times = self.lock_to_allocate();
        let time = process::now() + (PAUSE << op.lose_patience(MOST_DOUBLINGS));
        if times.retries.try_reserve(1).is_ok() {
            times.retries.push(Reverse(Retry { time, number, generation, side }));
        } else {
            times.sweep = times.sweep.min(time);
        }
        self.arm(&mut times)
    }

    /// Whether it is time to go through all descriptors.
    pub(crate) fn is_sweep_due(&self) -> bool {
        let mut times = self.times.lock();
        let is_due = times.sweep <= process::now();
        if is_due {
            times.sweep = NEVER;
        }
        is_due
    }

    /// A second try that is due. (It may be for a descriptor that is no more.)
    pub(crate) fn due_retry(&self) -> Option<Retry> {
        let mut times = self.times.lock();
        let Reverse(first) = *times.retries.peek()?;
        if first.time > process::now() {
            return None;
        }
        times.retries.pop();
        Some(first)
    }

    /// It went off: whether it is time for a tick. What else is due is to be asked for.
    pub(crate) fn heard(&self) -> bool {
        let mut times = self.times.lock();
        times.armed = NEVER;
        let tick = times.tick <= process::now();
        if tick {
            times.tick = NEVER;
        }
        tick
    }

    /// Sees to it that the alarm goes off again in time, after `heard`.
    pub(crate) fn set_again(&self) {
        let _ = self.arm(&mut self.times.lock());
    }

    /// Enters a time at which the limit of a descriptor is to be looked at.
    pub(crate) fn enter_limit(&self, entry: LimitEntry) -> Result<()> {
        let mut times = self.lock_to_allocate();
        let Times { deadlines, limits, .. } = &mut *times;
        limits.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        // Each of them may become a deadline, for which there is room then.
        deadlines.reserve(limits.len() + 2)?;
        limits.push(entry);
        // If it cannot be set off now, a harvest finds it all the same.
        self.set_first(&mut times)
    }

    /// Takes out one whose time has come.
    pub(crate) fn due_limit(&self) -> Option<LimitEntry> {
        let mut times = self.times.lock();
        if times.limits.peek()?.time() > process::now() {
            return None;
        }
        times.limits.pop()
    }

    /// Enters a deadline.
    pub(crate) fn limit(&self, deadline: Deadline) -> Result<()> {
        let mut times = self.lock_to_allocate();
        let limits = times.limits.len();
        times.deadlines.reserve(limits + 1)?;
        times.deadlines.insert(deadline)?;
        self.set_first(&mut times).inspect_err(|_| times.deadlines.remove(deadline.op))
    }

    /// The operation has no deadline any more.
    pub(crate) fn forget(&self, op: OpRef) {
        let mut times = self.times.lock();
        times.deadlines.remove(op);
        // An alarm that was set for it goes off in vain, at most once.
        self.first.store(times.first(), Relaxed);
    }

    /// When the operation is to end, if its time has not come.
    pub(crate) fn time_of(&self, op: OpRef) -> Option<u64> {
        self.times.lock().deadlines.time_of(op)
    }

    /// Whether the operation's deadline has passed, and nothing has been done about it yet.
    pub(crate) fn is_over(&self, op: OpRef) -> bool {
        self.times.lock().deadlines.is_over(op, process::now())
    }

    /// Whether a deadline has passed.
    #[inline]
    pub(crate) fn has_expired(&self) -> bool {
        let first = self.first.load(Relaxed);
        first != NEVER && first <= process::now()
    }

    /// Takes out a deadline that has passed; `timer` is called with each timer before it.
    pub(crate) fn expire(&self, mut timer: impl FnMut(OpRef)) -> Option<Deadline> {
        let mut times = self.times.lock();
        let now = process::now();
        let due = loop {
            match times.deadlines.pop(now) {
                Some(due) if due.is_timer() => timer(due.op),
                due => break due,
            }
        };
        let _ = self.set_first(&mut times);
        due
    }

    /// Takes out the timers that come after `now`, or those of them with this user pointer, in order of time.
    pub(crate) fn take_timers(&self, user: Option<usize>, now: u64, mut each: impl FnMut(OpRef)) {
        let mut times = self.lock_to_allocate();
        match user {
            Some(user) => times.deadlines.take_out_timers_of(user, now, |entry| each(entry.op)),
            None => {
                times
                    .deadlines
                    .take_out(|entry| entry.is_timer() && entry.time > now, |entry| each(entry.op));
            }
        }
        self.first.store(times.first(), Relaxed);
    }

    fn set_first(&self, times: &mut Times) -> Result<()> {
        self.first.store(times.first(), Relaxed);
        self.arm(times)
    }

    /// Sees to it that the timerfd goes off in time. One that goes off sooner is left alone: setting it again would
    /// take back an expiry that no thread has heard yet.
    fn arm(&self, times: &mut Times) -> Result<()> {
        let retry = times.retries.peek().map_or(NEVER, |first| first.0.time);
        let next = times.tick.min(retry).min(times.sweep).min(times.first());
        if next < times.armed {
            times.armed = next;
            // It may be another file by now.
            if !sys::is_registered(self.epfd.load(Relaxed), self.number()) {
                return Err(Errno::EBADF);
            }
            return sys::arm(self.number(), next);
        }
        Ok(())
    }
}

impl Times {
    /// The earliest time at which something may expire.
    fn first(&self) -> u64 {
        let limit = self.limits.peek().map_or(NEVER, LimitEntry::time);
        self.deadlines.first().unwrap_or(NEVER).min(limit)
    }

    const fn none() -> Times {
        Times {
            armed: NEVER,
            tick: NEVER,
            retries: BinaryHeap::new(),
            sweep: NEVER,
            deadlines: Deadlines::new(),
            limits: BinaryHeap::new(),
        }
    }
}
