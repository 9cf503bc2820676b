//! Errors are `std::io::Error`; what a refused operation or descriptor was given comes back with its error.

use crate::sys::Errno;
use crate::{EIOEVENTFULL, Op};
use std::fmt;
use std::io;

impl From<Errno> for io::Error {
    fn from(errno: Errno) -> io::Error {
        io::Error::from_raw_os_error(errno.0)
    }
}

/// Whether an error says that the pipe was full: that there was no place for another operation.
///
/// (Its number is [`EIOEVENTFULL`], of which the system knows no text: it is shown as "Unknown error 1997".)
///
/// ```
/// use ioevent::{EventPipe, Op, is_full};
///
/// let pipe = EventPipe::new(1)?;
/// pipe.post(Op::new("the only place"), 0)?;
/// let refused = pipe.post(Op::new("another"), 0).unwrap_err();
/// assert!(refused.is_full() && is_full(&refused.into()));
/// # std::io::Result::Ok(())
/// ```
pub fn is_full(error: &io::Error) -> bool {
    error.raw_os_error() == Some(EIOEVENTFULL)
}

/// Whether an error says that the operation was cancelled, or that its descriptor was given up.
pub fn is_cancelled(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ECANCELED)
}

/// An operation that was not queued: its state, untouched, and why.
///
/// `?` turns it into the [`io::Error`], and drops the state. The errors: [`EIOEVENTFULL`] (see
/// [`is_full`](Self::is_full)); `InvalidInput` (the descriptor is attached to another pipe, a buffer has nothing spare,
/// MSG_ZEROCOPY is asked for); EBADF (the descriptor's pipe is gone, or this is a forked child of the process that made
/// it); ENOMEM.
///
/// ```
/// use ioevent::{EventPipe, Events, Op, Refused};
///
/// /// Submits when there is room; until then it harvests.
/// fn post(pipe: &EventPipe<u32>, mut op: Op<u32>) -> std::io::Result<()> {
///     while let Err(refused) = pipe.post(op, 0) {
///         if !refused.is_full() {
///             return Err(refused.into());
///         }
///         op = refused.op;
///         for event in pipe.wait(&mut Events::with_capacity(8), None)? {
///             println!("{:?}", event.op());
///         }
///     }
///     Ok(())
/// }
/// let pipe = EventPipe::new(1)?;
/// post(&pipe, Op::new(1))?;
/// post(&pipe, Op::new(2))?;
/// # std::io::Result::Ok(())
/// ```
#[must_use = "dropping it drops the state of the operation"]
pub struct Refused<T> {
    /// What was to be submitted.
    pub op: Op<T>,
    errno: Errno,
}

impl<T> Refused<T> {
    pub(crate) fn new(op: Op<T>, errno: Errno) -> Refused<T> {
        Refused { op, errno }
    }

    /// Whether the pipe was full: it may be submitted again once an event has been harvested.
    pub fn is_full(&self) -> bool {
        self.errno.0 == EIOEVENTFULL
    }

    /// Why it was refused.
    pub fn error(&self) -> io::Error {
        self.errno.into()
    }

    /// The state, without the error.
    pub fn into_op(self) -> Op<T> {
        self.op
    }
}

impl<T> fmt::Debug for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("error", &format_args!("{self}")).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_full() { f.write_str("ioevent pipe is full") } else { self.error().fmt(f) }
    }
}

impl<T> std::error::Error for Refused<T> {}

impl<T> From<Refused<T>> for io::Error {
    fn from(refused: Refused<T>) -> io::Error {
        refused.error()
    }
}

/// A descriptor that could not be attached, given back, and why.
///
/// `?` turns it into the [`io::Error`], and drops the descriptor. The errors: `AlreadyExists` (it is attached already,
/// to whichever pipe), `InvalidInput` (it is a pipe of this library), ENOMEM, ENOSPC (too many watches), EBADF (in a
/// forked child of the process that made the pipe).
#[must_use = "dropping it closes the descriptor"]
pub struct NotAttached<F> {
    /// What was to be attached.
    pub source: F,
    errno: Errno,
}

impl<F> NotAttached<F> {
    pub(crate) fn new(source: F, errno: Errno) -> NotAttached<F> {
        NotAttached { source, errno }
    }

    /// Why it was not attached.
    pub fn error(&self) -> io::Error {
        self.errno.into()
    }
}

impl<F> fmt::Debug for NotAttached<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotAttached").field("error", &self.error()).finish_non_exhaustive()
    }
}

impl<F> fmt::Display for NotAttached<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error().fmt(f)
    }
}

impl<F> std::error::Error for NotAttached<F> {}

impl<F> From<NotAttached<F>> for io::Error {
    fn from(not: NotAttached<F>) -> io::Error {
        not.error()
    }
}
