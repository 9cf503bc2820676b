//! The state of an operation, and which part of the program has it.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// The state of one operation at a time: buffers, descriptors, and whatever tells the program what it was for.
///
/// An owning pointer like a [`Box`]: one allocation, made once, and submitted again and again. Submitted, the state is
/// the pipe's; the [`Event`](crate::Event) of the operation gives it back. Whatever happens in between, it is in
/// exactly one place: here, in the pipe, or in an event.
///
/// ```
/// use ioevent::{EventPipe, Events, Op, timer};
/// use std::time::Duration;
///
/// let pipe = EventPipe::new(1)?;
/// let mut ticks = Op::new(0);
/// let mut events = Events::with_capacity(1);
/// while *ticks < 3 {
///     pipe.submit(ticks, |_| timer(Duration::from_millis(1)))?;
///     (ticks, _) = pipe.wait(&mut events, None)?.next().expect("it waits for one").into_parts();
///     *ticks += 1;
/// }
/// assert_eq!(Op::into_inner(ticks), 3);
/// # std::io::Result::Ok(())
/// ```
#[repr(transparent)]
pub struct Op<T> {
    inner: NonNull<Inner<T>>,
    _owns: PhantomData<T>,
}

/// Aligned so that the lowest four bits of its address are free for MARKS.
#[repr(C, align(16))]
pub(crate) struct Inner<T> {
    /// Read only where HOOK is in the word of the event.
    hook: Hook,
    value: T,
}

/// What is to be done with the result before the event is handed out: the new length of a `Vec`, the descriptors in a
/// message.
#[derive(Clone, Copy)]
pub(crate) struct Hook {
    run: unsafe fn(*mut (), i32),
    argument: *mut (),
}

impl Hook {
    /// `run` is called with the argument and the result of the operation, by the thread that has the event, which alone
    /// has the state then.
    ///
    /// # Safety
    ///
    /// It may be called so with an argument that the operation has borrowed.
    #[inline(always)]
    pub(crate) unsafe fn new(run: unsafe fn(*mut (), i32), argument: *mut ()) -> Hook {
        Hook { run, argument }
    }
}

/// In the word of an event: its result is a descriptor, which is to have an owner.
pub(crate) const DESCRIPTOR: usize = 1;
/// In the word of an event: the hook is to be run.
pub(crate) const HOOK: usize = 2;
/// In the word of an event: it was posted, and all numbers are values.
pub(crate) const POSTED: usize = 4;
/// The bits of a word that are not of the address.
pub(crate) const MARKS: usize = 15;

/// Names an operation, to cancel it: see [`Attached::cancel_op`](crate::Attached::cancel_op) and
/// [`EventPipe::cancel_timer`](crate::EventPipe::cancel_timer).
///
/// It is the address of the [`Op`], so it means whatever is outstanding with that. One whose `Op` is gone is to be
/// forgotten: a later `Op` may have the same address, and would be cancelled in its place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OpId(pub(crate) usize);

// SAFETY: it owns a T, and a hook that points into it.
unsafe impl<T: Send> Send for Op<T> {}
// SAFETY: a shared Op gives only a shared T.
unsafe impl<T: Sync> Sync for Op<T> {}

unsafe fn nothing(_: *mut (), _: i32) {}

impl<T> Op<T> {
    /// Allocates room for the state.
    #[inline]
    pub fn new(value: T) -> Op<T> {
        let hook = Hook { run: nothing, argument: std::ptr::null_mut() };
        let inner = NonNull::from(Box::leak(Box::new(Inner { hook, value })));
        Op { inner, _owns: PhantomData }
    }

    /// The state, without its allocation.
    #[inline]
    pub fn into_inner(op: Op<T>) -> T {
        // SAFETY: `new` made it from a Box, and the Op that owns it ends here.
        let inner = unsafe { Box::from_raw(op.into_raw()) };
        inner.value
    }

    /// Its name.
    #[inline]
    pub fn id(op: &Op<T>) -> OpId {
        OpId(op.inner.addr().get())
    }

    #[inline(always)]
    pub(crate) fn into_raw(self) -> *mut Inner<T> {
        std::mem::ManuallyDrop::new(self).inner.as_ptr()
    }

    /// # Safety
    ///
    /// It comes from `into_raw`, and nothing else owns it.
    #[inline(always)]
    pub(crate) unsafe fn from_raw(raw: *mut Inner<T>) -> Op<T> {
        // SAFETY: passed on to the caller.
        Op { inner: unsafe { NonNull::new_unchecked(raw) }, _owns: PhantomData }
    }

    /// # Safety
    ///
    /// It comes from `Lent::word`, and nothing else owns it.
    #[inline(always)]
    pub(crate) unsafe fn from_word(word: usize) -> Op<T> {
        // SAFETY: passed on to the caller.
        unsafe { Op::from_raw(std::ptr::with_exposed_provenance_mut(word & !MARKS)) }
    }

    /// Runs the hook that was set with the operation of this word.
    ///
    /// # Safety
    ///
    /// The operation has ended with this result, its word has HOOK, and its state was not touched since.
    #[inline(never)]
    pub(crate) unsafe fn run_hook(word: usize, result: i32) {
        let inner = std::ptr::with_exposed_provenance::<Inner<T>>(word & !MARKS);
        // SAFETY: the state is there, and nothing else has it.
        let Hook { run, argument } = unsafe { (*inner).hook };
        // SAFETY: as `Hook::new` was promised.
        unsafe { run(argument, result) }
    }
}

impl<T> Drop for Op<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: as in `into_inner`.
        drop(unsafe { Box::from_raw(self.inner.as_ptr()) });
    }
}

impl<T> Deref for Op<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: it is owned.
        unsafe { &self.inner.as_ref().value }
    }
}

impl<T> DerefMut for Op<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: it is owned.
        unsafe { &mut self.inner.as_mut().value }
    }
}

impl<T> From<T> for Op<T> {
    fn from(value: T) -> Op<T> {
        Op::new(value)
    }
}

impl<T: Default> Default for Op<T> {
    fn default() -> Op<T> {
        Op::new(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Op<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

/// A state whose operation is being described. Dropped, it drops the state: when that panics.
pub(crate) struct Lent<T> {
    raw: *mut Inner<T>,
}

/// A state whose operation is being begun: whatever comes of that, it is not dropped with this.
pub(crate) struct Given<T> {
    raw: *mut Inner<T>,
}

impl<T> Lent<T> {
    #[inline(always)]
    pub(crate) fn new(op: Op<T>) -> Lent<T> {
        Lent { raw: op.into_raw() }
    }

    /// The state, for the operation.
    #[inline(always)]
    pub(crate) fn value(&self) -> *mut T {
        // SAFETY: the place is that of a state that is owned.
        unsafe { &raw mut (*self.raw).value }
    }

    /// The operation is described.
    #[inline(always)]
    pub(crate) fn give(self) -> Given<T> {
        Given { raw: std::mem::ManuallyDrop::new(self).raw }
    }
}

impl<T> Drop for Lent<T> {
    fn drop(&mut self) {
        // SAFETY: from `Op::into_raw`, and not given away.
        drop(unsafe { Op::from_raw(self.raw) });
    }
}

impl<T> Given<T> {
    #[inline(always)]
    pub(crate) fn new(op: Op<T>) -> Given<T> {
        Given { raw: op.into_raw() }
    }

    /// The word that goes with the operation.
    #[inline(always)]
    pub(crate) fn word(&self, marks: usize) -> usize {
        self.raw.expose_provenance() | marks
    }

    /// Sets the hook that HOOK is about.
    #[inline(always)]
    pub(crate) fn set_hook(&self, hook: Hook) {
        // SAFETY: it is beside the value, so that nothing has borrowed it.
        unsafe { (&raw mut (*self.raw).hook).write(hook) };
    }

    /// The operation could not be begun.
    ///
    /// # Safety
    ///
    /// It was not, so that the pipe does not have the state.
    pub(crate) unsafe fn take_back(self) -> Op<T> {
        // SAFETY: passed on to the caller.
        unsafe { Op::from_raw(self.raw) }
    }
}
