//! Where an operation's future and its event meet.

use super::locks::{Mutex, lock};
use crate::{Io, Op, Outcome};
use std::any::Any;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// The state of an event in the pipe of a reactor.
pub(super) enum Flight {
    /// It ends the harvest of a thread (`seat`).
    WakeUp,
    /// An operation of a future.
    Operation(Box<dyn Landing>),
}

/// What an operation works on while it is outstanding, and where its outcome goes.
struct Work<S> {
    state: Option<S>,
    slot: Arc<Slot<S>>,
}

/// See the module's head.
pub(super) struct Slot<S>(Mutex<Stage<S>>);

enum Stage<S> {
    /// It is outstanding. The task that waits for it is woken.
    Flying(Waker),
    Landed(S, io::Result<Outcome>),
    /// The future has its output, or was dropped.
    Over,
}

/// A [`Work`] whatever the type of its state.
pub(super) trait Landing: Any + Send {
    /// Hands the state and the result to the future, and says whom to wake. Runs no code of the program's: if the
    /// future was dropped, the state stays here and the result comes back, to be dropped with it.
    fn land(&mut self, result: io::Result<Outcome>) -> Result<Waker, io::Result<Outcome>>;

    /// MSRV(1.86): the compiler makes one of the other by itself.
    fn as_any(&mut self) -> &mut dyn Any;
}

impl<S: Send + 'static> Landing for Work<S> {
    fn land(&mut self, result: io::Result<Outcome>) -> Result<Waker, io::Result<Outcome>> {
        let mut stage = lock(&self.slot.0);
        match (&mut *stage, self.state.take()) {
            (Stage::Flying(waker), Some(state)) => {
                let waker = std::mem::replace(waker, Waker::noop().clone());
                *stage = Stage::Landed(state, result);
                Ok(waker)
            }
            (_, state) => {
                self.state = state;
                Err(result)
            }
        }
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

impl Flight {
    /// The operation that `describe` makes of the state, of which it is known that it is an `S`.
    pub(super) fn describe<'a, S: 'static>(
        &'a mut self,
        describe: impl FnOnce(&'a mut S) -> Io<'a>,
    ) -> Io<'a> {
        if let Flight::Operation(work) = self {
            if let Some(state) = work.as_any().downcast_mut::<Work<S>>().and_then(|work| work.state.as_mut())
            {
                return describe(state);
            }
        }
        unreachable!("Slot::launch has just put it there")
    }
}

impl<S: Send + 'static> Slot<S> {
    /// A state on its way into the pipe.
    pub(super) fn launch(state: S, waker: Waker) -> (Op<Flight>, Arc<Slot<S>>) {
        let slot = Arc::new(Slot(Mutex::new(Stage::Flying(waker))));
        let work = Work { state: Some(state), slot: slot.clone() };
        (Op::new(Flight::Operation(Box::new(work))), slot)
    }
}

impl<S> Slot<S> {
    /// The state and the result, once; after that it is pending for ever. Wakers are cloned and dropped unlocked.
    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<(S, io::Result<Outcome>)> {
        let mut stage = lock(&self.0);
        if let Stage::Flying(waker) = &*stage {
            if waker.will_wake(context.waker()) {
                return Poll::Pending;
            }
            drop(stage);
            let mut waker = context.waker().clone();
            stage = lock(&self.0);
            let is_flying = match &mut *stage {
                Stage::Flying(known) => {
                    std::mem::swap(known, &mut waker);
                    true
                }
                Stage::Landed(..) | Stage::Over => false,
            };
            drop(stage);
            drop(waker);
            if is_flying {
                return Poll::Pending;
            }
            stage = lock(&self.0);
        }
        match std::mem::replace(&mut *stage, Stage::Over) {
            Stage::Landed(state, result) => Poll::Ready((state, result)),
            Stage::Flying(_) | Stage::Over => Poll::Pending,
        }
    }

    /// The future is dropped: `cancel` ends the operation if it is outstanding.
    ///
    /// That happens under the lock, which the thread that harvests the event takes before it frees the operation's
    /// memory. So no other operation can have got its address, which is its name, when it is cancelled by that.
    pub(super) fn abandon(&self, cancel: impl FnOnce() -> bool) {
        let mut stage = lock(&self.0);
        if matches!(*stage, Stage::Flying(_)) {
            // Whether it is in time decides nothing: the event comes in any case.
            cancel();
        }
        let before = std::mem::replace(&mut *stage, Stage::Over);
        drop(stage);
        // The waker, or the state, and the descriptor that an accept gave.
        drop(before);
    }
}
