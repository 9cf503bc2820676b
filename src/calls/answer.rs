//! What a call on an attached descriptor gives.

use crate::sys::{Errno, Result};

/// What a call comes to by the slow path.
pub(crate) enum Answer {
    /// It is done, with IOEVENT_INLINE: bytes, or -errno.
    Done(isize),
    /// It is queued.
    Queued,
    /// The same by the slow path.
    Slow(Result<usize>),
    /// It was not scheduled: EIOEVENTFULL, ENOMEM.
    Refused(Errno),
    /// The descriptor is not attached, or the call is libc's.
    Libcs,
}

/// What a harvest has come to, as the fast path says it.
#[inline(always)]
pub(super) fn answer(outcome: Result<usize>) -> isize {
    match outcome {
        Ok(count) => count as isize,
        Err(Errno(errno)) => -(errno as isize),
    }
}
