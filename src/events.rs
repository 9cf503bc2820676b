//! Events, and how the operations behind them ended.

use crate::Readiness;
use crate::event::RawEvent;
use crate::op::{DESCRIPTOR, HOOK, Inner, Op, POSTED};
use crate::sys::Errno;
use std::fmt;
use std::io;
use std::iter::FusedIterator;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr::NonNull;

/// One operation has ended: its state is the program's again.
#[must_use = "dropping it drops the state of the operation"]
pub struct Event<T> {
    /// An `Op`. (As a pointer that may be null: else an `Option` of an event is looked at by looking at this.)
    op: *mut Inner<T>,
    outcome: Outcome,
    _owns: PhantomData<Op<T>>,
}

// SAFETY: it is a state and an outcome.
unsafe impl<T: Send> Send for Event<T> {}
// SAFETY: as above; a shared one gives only a shared state.
unsafe impl<T: Sync> Sync for Event<T> {}

/// How an operation ended.
///
/// An outcome owns the descriptor that an accept has given: unless [`descriptor`](Self::descriptor) takes it, it is
/// closed with the outcome.
#[must_use = "dropping it loses how the operation ended"]
pub struct Outcome {
    result: i32,
    errno: i32,
    /// With DESCRIPTOR a result that is not negative is one, which nothing else owns yet; with POSTED all are values.
    /// No other bit matters.
    mark: usize,
}

/// Room for the events of one harvest, and what is left of the last one.
///
/// An iterator that takes the events out. What a `break` or a `?` has left, the next [`wait`](crate::EventPipe::wait)
/// gives first; what is left when it is dropped is dropped.
pub struct Events<T> {
    /// Of a box.
    room: NonNull<[MaybeUninit<RawEvent>]>,
    /// The next event in the room, and the end of what was written there.
    next: NonNull<RawEvent>,
    end: NonNull<RawEvent>,
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
    pub(crate) unsafe fn from_raw(event: &RawEvent) -> Event<T> {
        let word = event.user as usize;
        if word & HOOK != 0 {
            // SAFETY: the operation has ended so, and its state comes right out of the pipe.
            unsafe { Op::<T>::run_hook(word, event.result) };
        }
        let outcome = Outcome { result: event.result, errno: event.errno, mark: word };
        // SAFETY: the word of a state that nothing else has.
        Event { op: unsafe { Op::<T>::from_word(word) }.into_raw(), outcome, _owns: PhantomData }
    }

    /// The state, and how the operation ended.
    #[inline(always)]
    pub fn into_parts(self) -> (Op<T>, Outcome) {
        let this = ManuallyDrop::new(self);
        // SAFETY: neither is dropped with `this`.
        unsafe { (Op::from_raw(this.op), std::ptr::read(&this.outcome)) }
    }

    /// The state.
    #[inline]
    pub fn op(&self) -> &Op<T> {
        // SAFETY: an Op is nothing but such a pointer, and it is lent no longer than the event.
        unsafe { &*(&raw const self.op).cast::<Op<T>>() }
    }

    /// How the operation ended.
    #[inline]
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }
}

impl<T> Drop for Event<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: it is dropped once. The outcome is dropped after this.
        drop(unsafe { Op::from_raw(self.op) });
    }
}

impl Outcome {
    /// Whether it owns a descriptor.
    #[inline(always)]
    fn has_descriptor(&self) -> bool {
        // A failed accept has given none.
        self.mark & DESCRIPTOR != 0 && self.result >= 0
    }

    /// How many bytes were moved, or the value that was posted; `None` if the operation failed, and for an accept. The
    /// shortest way where the error is of no interest.
    ///
    /// A receive with MSG_TRUNC counts what it has cut off, too, so this may be more than its buffer has room for.
    #[inline(always)]
    pub fn count(&self) -> Option<usize> {
        if self.mark & DESCRIPTOR != 0 {
            no_count();
            return None;
        }
        if self.result < 0 && !is_posted(self.mark) {
            return None;
        }
        Some(self.result as u32 as usize)
    }

    /// How many bytes were moved, or the value that was posted; or why the operation failed. `InvalidInput` for an
    /// accept, whose descriptor is closed.
    ///
    /// An operation with a time limit, or one that is cancelled, may succeed with a part, even if it is a write: ask
    /// for [`ended_early`](Self::ended_early) first, or compare with what was to be moved.
    #[inline]
    pub fn bytes(self) -> io::Result<usize> {
        self.count().ok_or_else(|| self.error().unwrap_or_else(|| Errno::EINVAL.into()))
    }

    /// That the operation succeeded; or why it failed. (What an accept has given is closed.) With a time limit, or when
    /// it is cancelled, one that has moved a part has succeeded: see [`ended_early`](Self::ended_early).
    #[inline]
    pub fn done(self) -> io::Result<()> {
        self.error().map_or(Ok(()), Err)
    }

    /// Why the operation failed, if it did.
    #[inline]
    pub fn error(&self) -> Option<io::Error> {
        if self.result < 0 && self.mark & POSTED == 0 {
            Some(io::Error::from_raw_os_error(self.errno))
        } else {
            None
        }
    }

    /// Why an operation that has moved a part was ended before it had moved all: ECANCELED or ETIMEDOUT.
    pub fn ended_early(&self) -> Option<io::Error> {
        let is_early = self.result >= 0 && self.errno != 0 && self.mark & (DESCRIPTOR | POSTED) == 0;
        is_early.then(|| io::Error::from_raw_os_error(self.errno))
    }

    /// The descriptor that an accept has given, close-on-exec; or why it failed. `InvalidInput` if it was no accept.
    pub fn descriptor(self) -> io::Result<OwnedFd> {
        if !self.has_descriptor() {
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
        if self.mark & DESCRIPTOR != 0 {
            close(self.result);
        }
    }
}

/// Whether what looks like an error is a value that was posted.
#[cold]
#[inline(never)]
fn is_posted(mark: usize) -> bool {
    mark & POSTED != 0
}

/// The count of an accept is asked for. (A call, or else the two conditions for that and the one above become one,
/// which takes longer.)
#[cold]
#[inline(never)]
fn no_count() {
    std::hint::black_box(());
}

/// Closes what a dropped outcome owns: nothing, if an accept has failed.
#[cold]
#[inline(never)]
fn close(result: i32) {
    if result >= 0 {
        // SAFETY: as in `descriptor`.
        drop(unsafe { OwnedFd::from_raw_fd(result) });
    }
}

impl<T> Events<T> {
    /// Room for so many events at a time, at least one. Allocates.
    pub fn with_capacity(capacity: usize) -> Events<T> {
        let room = NonNull::from(Box::leak(Box::new_uninit_slice(capacity.max(1))));
        let start = room.cast();
        Events { room, next: start, end: start, _owns: PhantomData }
    }

    /// How many events it has room for.
    pub fn capacity(&self) -> usize {
        self.room.len()
    }

    #[inline(always)]
    pub(crate) fn is_used_up(&self) -> bool {
        self.next == self.end
    }

    /// All of the room; nothing is in it.
    #[inline(always)]
    pub(crate) fn room(&mut self) -> &mut [MaybeUninit<RawEvent>] {
        self.end = self.next;
        // SAFETY: it is this one's own.
        unsafe { self.room.as_mut() }
    }

    /// # Safety
    ///
    /// So many events of a typed pipe of this `T` were written into `room`.
    #[inline(always)]
    pub(crate) unsafe fn set_filled(&mut self, filled: usize) {
        debug_assert!(self.is_used_up() && filled <= self.capacity());
        self.next = self.room.cast();
        // SAFETY: passed on to the caller.
        self.end = unsafe { self.next.add(filled) };
    }
}

impl<T> Iterator for Events<T> {
    type Item = Event<T>;

    #[inline(always)]
    fn next(&mut self) -> Option<Event<T>> {
        if self.is_used_up() {
            return None;
        }
        let event = self.next;
        // SAFETY: it is before the end, so written; and it is taken out once, as `set_filled` was promised.
        unsafe {
            self.next = event.add(1);
            Some(Event::from_raw(event.as_ref()))
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        // SAFETY: both are of the room, in this order.
        let left = unsafe { self.end.offset_from(self.next) as usize };
        (left, Some(left))
    }
}

impl<T> ExactSizeIterator for Events<T> {}
impl<T> FusedIterator for Events<T> {}

impl<T> Drop for Events<T> {
    fn drop(&mut self) {
        /// Goes on when the drop of a state has panicked; and gives the room back.
        struct Rest<'a, T>(&'a mut Events<T>);
        impl<T> Drop for Rest<'_, T> {
            fn drop(&mut self) {
                self.0.by_ref().for_each(drop);
                // SAFETY: it is of a box, and not used any more.
                drop(unsafe { Box::from_raw(self.0.room.as_ptr()) });
            }
        }
        let rest = Rest(self);
        rest.0.by_ref().for_each(drop);
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut outcome = f.debug_tuple("Outcome");
        match (self.error(), self.ended_early()) {
            (Some(error), _) => outcome.field(&error),
            (None, Some(why)) => {
                outcome.field(&(self.result as u32)).field(&format_args!("ended early: {why}"))
            }
            (None, None) => outcome.field(&(self.result as u32)),
        };
        outcome.finish()
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
