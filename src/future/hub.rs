//! What a reactor and its futures share: the pipe, its places, and how threads wait for its events and deliver them.

use super::places::Places;
use super::seat::{Pipe, Purpose, Seat, Signal, Step};
use super::slot::Flight;
use crate::{EventPipe, Events, Op, Outcome};
use std::io;
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Events that a thread takes at a time.
const BATCH: usize = 64;
/// A future that is woken whenever it has been polled keeps its thread from waiting. So often it may, before the thread
/// looks for events all the same.
const POLLS: u32 = 32;

/// See the module's head.
pub(super) struct Hub {
    seat: Arc<Seat<EventPipe<Flight>>>,
    pub(super) places: Places,
}

/// How a thread that waits in a hub is woken.
type Waiting = Arc<Signal<EventPipe<Flight>>>;

impl Pipe for EventPipe<Flight> {
    type WakeUp = Op<Flight>;

    fn post(&self, wake_up: Op<Flight>) -> Result<(), Op<Flight>> {
        EventPipe::post(self, wake_up, 0).map_err(|refused| refused.op)
    }
}

/// What a thread has harvested and is to deliver.
#[derive(Default)]
struct Batch {
    /// Allocated when the thread harvests for the first time.
    events: Option<Events<Flight>>,
    wakers: Vec<Waker>,
    abandoned: Vec<(Op<Flight>, io::Result<Outcome>)>,
}

impl Batch {
    fn fill(&mut self, pipe: &EventPipe<Flight>, time: Option<Duration>) -> io::Result<()> {
        let events = self.events.get_or_insert_with(|| Events::with_capacity(BATCH));
        pipe.wait(events, time).map(|_| ())
    }
}

/// Leaves the seat, or the threads that wait for it, also when a panic ends the wait.
struct Leave<'h> {
    hub: &'h Hub,
    waiting: &'h Waiting,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.hub.seat.leave(self.waiting);
    }
}

impl Hub {
    /// For so many operations at a time.
    pub(super) fn new(capacity: usize) -> io::Result<Hub> {
        if capacity == 0 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // One place more, for the wake-up.
        let pipe = EventPipe::new(capacity.saturating_add(1))?;
        // Posted once so that the memory for it is there. From then on it can always be posted, but where events are
        // there already that end the wait.
        Pipe::post(&pipe, Op::new(Flight::WakeUp)).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut events = Events::with_capacity(1);
        let wake_up = pipe.wait(&mut events, None)?.next().ok_or(io::ErrorKind::OutOfMemory)?;
        let seat = Arc::new(Seat::new(pipe, wake_up.into_parts().0));
        Ok(Hub { seat, places: Places::new(capacity) })
    }

    pub(super) fn pipe(&self) -> &EventPipe<Flight> {
        self.seat.pipe()
    }

    pub(super) fn notify(&self) {
        self.seat.notify();
    }

    pub(super) fn stop(&self) {
        self.seat.stop();
    }

    /// Delivers what there is.
    fn look(&self, batch: &mut Batch) -> io::Result<usize> {
        batch.fill(self.seat.pipe(), Some(Duration::ZERO))?;
        Ok(self.deliver(batch))
    }

    /// Waits until the thread is woken or its time is over, or, in a turn, events were delivered: how many, if by it.
    fn wait(
        &self,
        waiting: &Waiting,
        purpose: Purpose,
        deadline: Option<Instant>,
        batch: &mut Batch,
    ) -> io::Result<usize> {
        let _leave = Leave { hub: self, waiting };
        let mut count = 0;
        while self.seat.step(waiting, deadline, |pipe, time| batch.fill(pipe, time))? == Step::Harvested {
            count += self.deliver(batch);
            if count > 0 && purpose == Purpose::Turn {
                break;
            }
        }
        Ok(count)
    }

    /// How many operations have ended. First every one is done with, then the program's code runs: it may come back
    /// here, and what of it panics keeps nothing else from being woken or dropped.
    fn deliver(&self, batch: &mut Batch) -> usize {
        let Batch { events, wakers, abandoned } = batch;
        let mut count = 0;
        for event in events.iter_mut().flatten() {
            let (mut op, outcome) = event.into_parts();
            match &mut *op {
                Flight::WakeUp => {
                    self.seat.bring_home(op);
                    continue;
                }
                Flight::Operation(work) => match work.land(Ok(outcome)) {
                    Ok(waker) => wakers.push(waker),
                    Err(result) => abandoned.push((op, result)),
                },
            }
            count += 1;
        }
        if count == 0 {
            return 0;
        }
        self.places.give_back(count, wakers);
        let mut panic = None;
        let mut contain = |run: &mut dyn FnMut()| {
            let Err(payload) = catch_unwind(AssertUnwindSafe(run)) else { return };
            if panic.is_none() {
                panic = Some(payload);
            } else if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                // One is enough; and one whose drop panics has had its chance.
                forget(another);
            }
        };
        for waker in wakers.drain(..) {
            let mut waker = Some(waker);
            contain(&mut || waker.take().map_or((), Waker::wake));
        }
        for flight in abandoned.drain(..) {
            let mut flight = Some(flight);
            contain(&mut || drop(flight.take()));
        }
        match panic {
            Some(payload) => resume_unwind(payload),
            None => count,
        }
    }

    /// [`super::Reactor::turn`].
    pub(super) fn turn(&self, time: Option<Duration>) -> io::Result<usize> {
        let mut batch = Batch::default();
        if time.is_some_and(|time| time.is_zero()) {
            return self.look(&mut batch);
        }
        let deadline = time.and_then(|time| Instant::now().checked_add(time));
        self.wait(&Signal::new(&self.seat, Purpose::Turn), Purpose::Turn, deadline, &mut batch)
    }

    /// [`super::Reactor::run`].
    pub(super) fn run(&self) -> io::Result<()> {
        let waiting = Signal::new(&self.seat, Purpose::Run);
        self.wait(&waiting, Purpose::Run, None, &mut Batch::default()).map(|_| ())
    }

    /// [`super::Reactor::block_on`].
    pub(super) fn block_on<F: Future>(&self, future: F) -> io::Result<F::Output> {
        let waiting = Signal::new(&self.seat, Purpose::Future);
        let waker = Waker::from(waiting.clone());
        let mut context = Context::from_waker(&waker);
        let mut batch = Batch::default();
        let mut future = pin!(future);
        let mut polls = 0;
        loop {
            waiting.clear();
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return Ok(output);
            }
            match self.wait(&waiting, Purpose::Future, None, &mut batch)? {
                0 => polls += 1,
                _ => polls = 0,
            }
            if polls == POLLS {
                polls = 0;
                self.look(&mut batch)?;
            }
        }
    }
}
