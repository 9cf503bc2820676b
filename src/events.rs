//! Events, and how the operations behind them ended.

use crate::Readiness;
use crate::event::RawEvent;
use crate::op::{DESCRIPTOR, HOOK, Op, POSTED};
use crate::sys::Errno;
use std::fmt;
use std::io;
use std::iter::FusedIterator;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::os::fd::{FromRawFd, OwnedFd};

/// One operation has ended: its state is the program's again.
#[must_use = "dropping it drops the state of the operation"]
pub struct Event<T> {
    op: Op<T>,
    outcome: Outcome,
}

/// How an operation ended.
///
/// An outcome owns the descriptor that an accept has given: one that is not asked for [`descriptor`](Self::descriptor) is
/// closed with it.
#[must_use = "dropping it loses how the operation ended"]
pub struct Outcome {
    result: i32,
    errno: i32,
    /// What the result is, if it is not the count of an operation: DESCRIPTOR, which nothing owns yet; POSTED.
    mark: usize,
}

/// Room for the events of one harvest, and what is left of the last one.
///
/// An iterator that takes the events out. What a `break` or a `?` has left, the next [`wait`](crate::EventPipe::wait) gives
/// first; what is left when it is dropped is dropped.
pub struct Events<T> {
    raw: Box<[MaybeUninit<RawEvent>]>,
    next: usize,
    filled: usize,
    _owns: PhantomData<Op<T>>,
}

// SAFETY: what is in it are states and outcomes.
unsafe impl<T: Send> Send for Events<T> {}
// SAFETY: nothing can be reached through a shared one.
unsafe impl<T> Sync for Events<T> {}

impl<T> Event<T> {
    /// # Safety
    ///
    /// It came out of a typed pipe of this `T`, once.
    #[inline(always)]
    pub(crate) unsafe fn from_raw(event: RawEvent) -> Event<T> {
        let word = event.user as usize;
        // SAFETY: the word of a state that nothing else has.
        let mut op: Op<T> = unsafe { Op::from_word(word) };
        if word & HOOK != 0 {
            // SAFETY: the operation has ended so, and its state comes right out of the pipe.
            unsafe { op.run_hook(event.result) };
        }
        Event { op, outcome: Outcome::new(word, event) }
    }

    /// The state, and how the operation ended.
    #[inline(always)]
    pub fn into_parts(self) -> (Op<T>, Outcome) {
        (self.op, self.outcome)
    }

    /// The state.
    #[inline]
    pub fn op(&self) -> &Op<T> {
        &self.op
    }

    /// How the operation ended.
    #[inline]
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }
}

impl Outcome {
    #[inline(always)]
    fn new(word: usize, event: RawEvent) -> Outcome {
        let mark = word & (DESCRIPTOR | POSTED);
        // A failed accept has given no descriptor.
        let mark = if mark == DESCRIPTOR && event.result < 0 { 0 } else { mark };
        Outcome { result: event.result, errno: event.errno, mark }
    }

    /// How many bytes were moved, or the value that was posted; `None` if the operation failed, and for an accept. The
    /// shortest way where the error is of no interest.
    ///
    /// A receive with MSG_TRUNC counts what it has cut off, too, so this may be more than its buffer has room for.
    #[inline(always)]
    pub fn count(&self) -> Option<usize> {
        match self.mark {
            0 => usize::try_from(self.result).ok(),
            POSTED => Some(self.result as u32 as usize),
            _ => None,
        }
    }

    /// How many bytes were moved, or the value that was posted; or why the operation failed. `InvalidInput` for an
    /// accept, whose descriptor is closed.
    #[inline]
    pub fn bytes(self) -> io::Result<usize> {
        self.count().ok_or_else(|| self.error().unwrap_or_else(|| Errno::EINVAL.into()))
    }

    /// That the operation succeeded, if perhaps with a part ([`ended_early`](Self::ended_early)); or why it failed. (What
    /// an accept has given is closed.)
    #[inline]
    pub fn done(self) -> io::Result<()> {
        self.error().map_or(Ok(()), Err)
    }

    /// Why the operation failed, if it did.
    #[inline]
    pub fn error(&self) -> Option<io::Error> {
        if self.result < 0 && self.mark != POSTED {
            Some(io::Error::from_raw_os_error(self.errno))
        } else {
            None
        }
    }

    /// Why an operation that has moved a part was ended before it had moved all: ECANCELED or ETIMEDOUT (rule 2.4).
    pub fn ended_early(&self) -> Option<io::Error> {
        let is_early = self.result >= 0 && self.errno != 0 && self.mark == 0;
        is_early.then(|| io::Error::from_raw_os_error(self.errno))
    }

    /// The descriptor that an accept has given, close-on-exec; or why it failed. `InvalidInput` if it was no accept.
    pub fn descriptor(self) -> io::Result<OwnedFd> {
        if self.mark != DESCRIPTOR {
            return Err(self.error().unwrap_or_else(|| Errno::EINVAL.into()));
        }
        let this = ManuallyDrop::new(self);
        // SAFETY: a new descriptor that nothing else owns; `this` does not close it.
        Ok(unsafe { OwnedFd::from_raw_fd(this.result) })
    }

    /// What a poll has found; or why it failed.
    pub fn readiness(self) -> io::Result<Readiness> {
        self.bytes().map(|bits| Readiness::from_bits(bits as i16))
    }
}

impl Drop for Outcome {
    #[inline(always)]
    fn drop(&mut self) {
        if self.mark == DESCRIPTOR {
            // SAFETY: as in `descriptor`.
            drop(unsafe { OwnedFd::from_raw_fd(self.result) });
        }
    }
}

impl<T> Events<T> {
    /// Room for so many events at a time, at least one. Allocates.
    pub fn with_capacity(capacity: usize) -> Events<T> {
        Events { raw: Box::new_uninit_slice(capacity.max(1)), next: 0, filled: 0, _owns: PhantomData }
    }

    /// How many events it has room for.
    pub fn capacity(&self) -> usize {
        self.raw.len()
    }

    #[inline(always)]
    pub(crate) fn is_used_up(&self) -> bool {
        self.next == self.filled
    }

    /// All of the room; nothing is in it.
    #[inline(always)]
    pub(crate) fn room(&mut self) -> &mut [MaybeUninit<RawEvent>] {
        (self.next, self.filled) = (0, 0);
        &mut self.raw
    }

    /// # Safety
    ///
    /// So many events of a typed pipe of this `T` were written into `room`.
    #[inline(always)]
    pub(crate) unsafe fn set_filled(&mut self, filled: usize) {
        debug_assert!(self.next == 0 && filled <= self.raw.len());
        self.filled = filled;
    }
}

impl<T> Iterator for Events<T> {
    type Item = Event<T>;

    #[inline(always)]
    fn next(&mut self) -> Option<Event<T>> {
        if self.is_used_up() {
            return None;
        }
        // SAFETY: below `filled`, so written; and it is taken out once.
        let event = unsafe { self.raw.get_unchecked(self.next).assume_init() };
        self.next += 1;
        // SAFETY: as `set_filled` was promised.
        Some(unsafe { Event::from_raw(event) })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.filled - self.next;
        (left, Some(left))
    }
}

impl<T> ExactSizeIterator for Events<T> {}
impl<T> FusedIterator for Events<T> {}

impl<T> Drop for Events<T> {
    fn drop(&mut self) {
        /// Goes on when the drop of a state has panicked.
        struct Rest<'a, T>(&'a mut Events<T>);
        impl<T> Drop for Rest<'_, T> {
            fn drop(&mut self) {
                self.0.by_ref().for_each(drop);
            }
        }
        let rest = Rest(self);
        rest.0.by_ref().for_each(drop);
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome").field("result", &self.result).field("errno", &self.errno).finish()
    }
}

impl<T> fmt::Debug for Event<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("outcome", &self.outcome).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Events<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("left", &self.len()).field("capacity", &self.capacity()).finish()
    }
}
