//! What came of a try of an operation, and of a worker's call.

use crate::sys::{Errno, Result};

/// What came of a call.
pub(crate) enum Outcome {
    Done(Result<usize>),
    /// It has to wait for something else than a disk.
    Wait,
    /// There was nothing: it has to be tried again.
    Again,
    /// The program has taken the number away before it was done.
    Gone,
}

/// What a try gave.
pub(crate) enum Step {
    /// The operation is finished.
    Done(Result<usize>),
    /// It is finished with the part that it has moved; the error that came after it is for the next operation of that
    /// direction (rule 2.4).
    Part(usize, Errno),
    /// Not yet. An edge comes when it is worth another try.
    Wait,
    /// Not yet, and no edge comes: try again after a while.
    Retry,
    /// It may wait for a disk: a worker has to do it.
    Work,
}

/// Ends a try that either did it all or did nothing.
#[inline]
pub(crate) fn finish(r: Result<usize>) -> Step {
    match r {
        Err(Errno::EAGAIN | Errno::EINTR) => Step::Wait,
        r => Step::Done(r),
    }
}
