//! The futures.

use super::hub::Hub;
use super::places::{Place, Turn};
use super::slot::{Flight, Slot};
use crate::{Attached, EventPipe, Io, Op, OpId, Outcome, Refused, timer};
use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

/// One operation on a descriptor, made by [`Reactor::submit`](super::Reactor::submit). Its output is the state that it
/// was given, and how it ended.
///
/// Nothing happens before it is polled. Then it waits, if need be, for a place in the pipe, and is submitted;
/// operations have their places in the order in which they were first polled. The errors are those of
/// [`EventPipe::submit_on`], except that the pipe is never full, and those of the operation.
///
/// **Dropping** it is safe at any time. Before its first poll nothing was submitted, and the state is dropped at once.
/// An operation that waits for a place gives up its turn. One that is outstanding is cancelled; its state lives on
/// until its event was harvested, or the reactor is dropped. What it was to move may have been moved all the same, as
/// with every cancelled operation: bytes that were read are gone with the state, and a connection that was accepted is
/// closed.
///
/// **Leaking** it ([`std::mem::forget`]) leaks the state. While it waits for a place that leaks the place, too, when it
/// is its turn. A task that has a place coming and does not poll keeps it from the others in the same way.
///
/// **Polled after it was ready** it is pending for ever, and so it is when `describe` has panicked: then nothing was
/// submitted, and the state was dropped.
#[must_use = "does nothing unless it is polled"]
pub struct Operation<'r, S, A: AsFd, D> {
    hub: &'r Hub,
    attached: &'r Attached<A>,
    turn: Turn<'r>,
    /// Until it is submitted.
    described: Option<(S, D)>,
    flight: Option<(Arc<Slot<S>>, OpId)>,
}

/// A time to wait, made by [`Reactor::sleep`](super::Reactor::sleep).
///
/// It takes a place in the pipe, like an [`Operation`], from its first poll until its time is over. Dropped before, it
/// is cancelled; polled after it was ready, it is pending for ever.
#[must_use = "does nothing unless it is polled"]
pub struct Sleep<'r> {
    hub: &'r Hub,
    turn: Turn<'r>,
    /// `None`: never.
    end: Option<Instant>,
    is_submitted: bool,
    flight: Option<(Arc<Slot<()>>, OpId)>,
}

// Neither is pinned to anything: what the pipe works on is on the heap.
impl<S, A: AsFd, D> Unpin for Operation<'_, S, A, D> {}

/// Submits. The place is the operation's, unless it was refused: then it has landed, with the error.
fn launch<S: Send + 'static>(
    hub: &Hub,
    place: Place<'_>,
    waker: Waker,
    state: S,
    submit: impl FnOnce(&EventPipe<Flight>, Op<Flight>) -> Result<(), Refused<Flight>>,
) -> (Arc<Slot<S>>, OpId) {
    let (op, slot) = Slot::launch(state, waker);
    let id = Op::id(&op);
    match submit(hub.pipe(), op) {
        Ok(()) => place.keep(),
        Err(refused) => {
            let error = refused.error();
            if let Flight::Operation(mut work) = Op::into_inner(refused.op) {
                // The task that would be woken is the one that is being polled.
                drop(work.land(Err(error)));
            }
        }
    }
    (slot, id)
}

impl<'r, S, A: AsFd, D> Operation<'r, S, A, D> {
    pub(super) fn new(hub: &'r Hub, attached: &'r Attached<A>, state: S, describe: D) -> Self {
        let described = Some((state, describe));
        Operation { hub, attached, turn: hub.places.turn(), described, flight: None }
    }
}

impl<S, A, D> Future for Operation<'_, S, A, D>
where
    S: Send + 'static,
    A: AsFd,
    D: for<'a> FnOnce(&'a mut S) -> Io<'a>,
{
    type Output = (S, io::Result<Outcome>);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.described.is_some() {
            let place = ready!(this.turn.poll(context));
            let waker = context.waker().clone();
            if let Some((state, describe)) = this.described.take() {
                let attached = this.attached;
                this.flight = Some(launch(this.hub, place, waker, state, |pipe, op| {
                    pipe.submit_on(attached, op, |flight| flight.describe(describe))
                }));
            }
        }
        this.flight.as_ref().map_or(Poll::Pending, |(slot, _)| slot.poll(context))
    }
}

impl<S, A: AsFd, D> Drop for Operation<'_, S, A, D> {
    fn drop(&mut self) {
        if let Some((slot, id)) = self.flight.take() {
            slot.abandon(|| self.attached.cancel_op(id));
        }
    }
}

impl<'r> Sleep<'r> {
    pub(super) fn new(hub: &'r Hub, time: Duration) -> Self {
        let end = Instant::now().checked_add(time);
        Sleep { hub, turn: hub.places.turn(), end, is_submitted: false, flight: None }
    }
}

impl Future for Sleep<'_> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if !this.is_submitted {
            let place = ready!(this.turn.poll(context));
            let waker = context.waker().clone();
            let left = this.end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            this.is_submitted = true;
            let submit = |pipe: &EventPipe<Flight>, op| pipe.submit(op, |_| timer(left));
            this.flight = Some(launch(this.hub, place, waker, (), submit));
        }
        let Some((slot, _)) = &this.flight else { return Poll::Pending };
        let ((), result) = ready!(slot.poll(context));
        Poll::Ready(result.and_then(Outcome::done))
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some((slot, id)) = self.flight.take() {
            slot.abandon(|| self.hub.pipe().cancel_timer(id));
        }
    }
}

impl<S, A: AsFd, D> fmt::Debug for Operation<'_, S, A, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("is_submitted", &self.described.is_none()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Sleep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("is_submitted", &self.is_submitted).finish_non_exhaustive()
    }
}
