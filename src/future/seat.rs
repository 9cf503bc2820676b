//! Which thread harvests while several wait.
//!
//! Threads come here to wait: in `block_on` until their future is woken, in `turn` until there was an event, in `run`
//! until it is stopped. Each has a [`Signal`]. One of them, the *driver*, sits in the one seat and waits in the pipe;
//! the others are *parked*, each on a condition variable of its own. So it is known for each thread how to wake it:
//! the driver by an event posted to the pipe, a parked one by its condition variable, one that is *away* (that polls
//! its future, or delivers events) not at all, since it looks at its signal before it waits.
//!
//! **A wake-up is not lost.** `woken` and the stage of a thread are behind one lock. The thread goes to `Harvests` or
//! `Parked` only if it is not woken; the waker sets `woken` and, by the stage that it finds, posts or notifies.
//!
//! **One event is posted at a time**, in a place of the pipe that nothing else uses: it has one state, the *wake-up*,
//! and the waker posts it that finds it at home. If it is not at home it has been posted before, so the driver's
//! harvest will return, but for one case: another thread has harvested it (a `turn` that does not wait, or a driver
//! that has left the seat since). Such a thread first brings the wake-up home and then looks whether the driver, if
//! there is one, is woken and harvests; if so it posts again. A waker that came before that look has set `woken`, and
//! is seen; one that comes after it finds the wake-up at home.
//!
//! **The seat is never empty while threads are parked**, but for the time in which the thread that has left it delivers
//! what it has harvested. Delivering wakes tasks and drops states, which is the program's code: it may come back here,
//! and would find the seat taken by its own thread. Then the thread either sits down again or goes; and when it goes,
//! in whatever way, a panic included, it puts the longest parked thread into the seat ([`Seat::leave`]). A thread that
//! is put there though it has been woken passes the seat on when it goes, in the same way.
//!
//! Locks are taken in this order: that of a signal, that of the wake-up. The seat's is taken alone.

use super::locks::{Condvar, Mutex, lock, wait};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Weak};
use std::task::Wake;
use std::time::{Duration, Instant};

/// What threads wait in.
pub(super) trait Pipe: Send + Sync + 'static {
    /// The state of the event that ends a harvest.
    type WakeUp: Send + 'static;
    /// Posts it. If that cannot be done, it comes back.
    fn post(&self, wake_up: Self::WakeUp) -> Result<(), Self::WakeUp>;
}

/// See the module's head.
pub(super) struct Seat<P: Pipe> {
    pipe: P,
    /// `None`: it is in the pipe, or on its way home.
    wake_up: Mutex<Option<P::WakeUp>>,
    state: Mutex<State<P>>,
}

struct State<P: Pipe> {
    driver: Option<Arc<Signal<P>>>,
    parked: VecDeque<Arc<Signal<P>>>,
    /// `run` is over, now and from now on.
    is_stopped: bool,
    /// The next `turn` does not wait.
    is_notified: bool,
}

/// What a thread waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// `block_on`.
    Future,
    /// `turn`.
    Turn,
    /// `run`.
    Run,
}

/// One thread that waits, and how to wake it.
pub(super) struct Signal<P: Pipe> {
    /// Weak: a waker of the program's may outlive the reactor.
    seat: Weak<Seat<P>>,
    purpose: Purpose,
    state: Mutex<Waiter>,
    bell: Condvar,
}

struct Waiter {
    is_woken: bool,
    /// It was put into the seat.
    is_seated: bool,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Away,
    Parked,
    Harvests,
}

/// What came of waiting.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// This thread has harvested: it is to deliver what it got.
    Harvested,
    /// The thread was woken, or its time is over.
    Over,
}

enum Chair {
    Seat,
    Parked,
    /// There is nothing to wait for.
    None,
}

impl<P: Pipe> Seat<P> {
    pub(super) fn new(pipe: P, wake_up: P::WakeUp) -> Seat<P> {
        let state = State { driver: None, parked: VecDeque::new(), is_stopped: false, is_notified: false };
        Seat { pipe, wake_up: Mutex::new(Some(wake_up)), state: Mutex::new(state) }
    }

    pub(super) fn pipe(&self) -> &P {
        &self.pipe
    }

    /// Waits until this thread was woken, has harvested, or its time is over. Before the thread does anything else but
    /// deliver and come back, it leaves ([`Seat::leave`]).
    pub(super) fn step(
        &self,
        signal: &Arc<Signal<P>>,
        deadline: Option<Instant>,
        harvest: impl FnOnce(&P, Option<Duration>) -> io::Result<()>,
    ) -> io::Result<Step> {
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if lock(&signal.state).is_woken || left.is_some_and(|left| left.is_zero()) {
                return Ok(Step::Over);
            }
            match self.sit_down(signal) {
                Chair::None => return Ok(Step::Over),
                Chair::Parked => signal.park(left),
                Chair::Seat => {
                    if !signal.begin_harvest() {
                        return Ok(Step::Over);
                    }
                    let result = harvest(&self.pipe, left);
                    signal.end_harvest();
                    lock(&self.state).driver = None;
                    return result.map(|()| Step::Harvested);
                }
            }
        }
    }

    fn sit_down(&self, signal: &Arc<Signal<P>>) -> Chair {
        let mut state = lock(&self.state);
        let is_over = match signal.purpose {
            Purpose::Future => false,
            Purpose::Run => state.is_stopped,
            Purpose::Turn => std::mem::take(&mut state.is_notified),
        };
        if is_over {
            return Chair::None;
        }
        let driver = state.driver.get_or_insert_with(|| signal.clone());
        if Arc::ptr_eq(driver, signal) {
            state.parked.retain(|parked| !Arc::ptr_eq(parked, signal));
            return Chair::Seat;
        }
        if !state.parked.iter().any(|parked| Arc::ptr_eq(parked, signal)) {
            state.parked.push_back(signal.clone());
        }
        Chair::Parked
    }

    /// This thread waits no longer: another takes the seat if it is empty now.
    pub(super) fn leave(&self, signal: &Arc<Signal<P>>) {
        let mut state = lock(&self.state);
        match &state.driver {
            Some(driver) if Arc::ptr_eq(driver, signal) => state.driver = None,
            _ => state.parked.retain(|parked| !Arc::ptr_eq(parked, signal)),
        }
        if state.driver.is_some() {
            return;
        }
        let next = state.parked.pop_front();
        state.driver.clone_from(&next);
        drop(state);
        if let Some(next) = next {
            next.seat();
        }
    }

    /// The thread that harvested the wake-up brings it home.
    pub(super) fn bring_home(&self, wake_up: P::WakeUp) {
        *lock(&self.wake_up) = Some(wake_up);
        let driver = lock(&self.state).driver.clone();
        if let Some(driver) = driver {
            let waiter = lock(&driver.state);
            if waiter.is_woken && waiter.stage == Stage::Harvests {
                self.post();
            }
        }
    }

    /// Ends the driver's harvest. The caller holds the lock of the driver's signal.
    fn post(&self) {
        let wake_up = lock(&self.wake_up).take();
        if let Some(Err(wake_up)) = wake_up.map(|wake_up| self.pipe.post(wake_up)) {
            // The harvest returns all the same. Either it fails, too: the pipe is gone (descriptors were closed, or
            // this is a forked child). Or there is no memory for one event more beside those that are there.
            *lock(&self.wake_up) = Some(wake_up);
        }
    }

    /// `turn` returns in the threads that wait in it; if there is none, the next one does not wait.
    pub(super) fn notify(&self) {
        let mut state = lock(&self.state);
        let turns = state.waiting_for(Purpose::Turn);
        state.is_notified |= turns.is_empty();
        drop(state);
        turns.iter().for_each(|signal| signal.wake_by_ref());
    }

    /// `run` returns in all threads, now and from now on.
    pub(super) fn stop(&self) {
        let mut state = lock(&self.state);
        state.is_stopped = true;
        let runs = state.waiting_for(Purpose::Run);
        drop(state);
        runs.iter().for_each(|signal| signal.wake_by_ref());
    }
}

impl<P: Pipe> State<P> {
    fn waiting_for(&self, purpose: Purpose) -> Vec<Arc<Signal<P>>> {
        let all = self.driver.iter().chain(&self.parked);
        all.filter(|signal| signal.purpose == purpose).cloned().collect()
    }
}

impl<P: Pipe> Signal<P> {
    pub(super) fn new(seat: &Arc<Seat<P>>, purpose: Purpose) -> Arc<Signal<P>> {
        let state = Waiter { is_woken: false, is_seated: false, stage: Stage::Away };
        Arc::new(Signal {
            seat: Arc::downgrade(seat),
            purpose,
            state: Mutex::new(state),
            bell: Condvar::new(),
        })
    }

    /// What woke it before is dealt with by what the thread does now.
    pub(super) fn clear(&self) {
        lock(&self.state).is_woken = false;
    }

    fn park(&self, time: Option<Duration>) {
        let mut waiter = lock(&self.state);
        if !waiter.is_woken && !waiter.is_seated {
            waiter.stage = Stage::Parked;
            // For no reason, or at the end of its time, it goes round once more.
            waiter = wait(&self.bell, waiter, time);
            waiter.stage = Stage::Away;
        }
        waiter.is_seated = false;
    }

    /// The thread was put into the seat. It may have been woken meanwhile, and may even have passed the seat on.
    fn seat(&self) {
        let mut waiter = lock(&self.state);
        waiter.is_seated = true;
        if waiter.stage == Stage::Parked {
            self.bell.notify_one();
        }
    }

    /// Whether the thread is to harvest: not if it was woken.
    fn begin_harvest(&self) -> bool {
        let mut waiter = lock(&self.state);
        if !waiter.is_woken {
            waiter.stage = Stage::Harvests;
        }
        !waiter.is_woken
    }

    fn end_harvest(&self) {
        lock(&self.state).stage = Stage::Away;
    }
}

/// The waker of `block_on`.
impl<P: Pipe> Wake for Signal<P> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut waiter = lock(&self.state);
        if std::mem::replace(&mut waiter.is_woken, true) {
            return;
        }
        match waiter.stage {
            Stage::Away => {}
            Stage::Parked => self.bell.notify_one(),
            // The thread waits in a call on the reactor, and cannot return from it while the lock is held: this is not
            // the last reference.
            Stage::Harvests => {
                if let Some(seat) = self.seat.upgrade() {
                    seat.post();
                }
            }
        }
    }
}
