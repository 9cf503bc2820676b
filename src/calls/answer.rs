//! What a call on an attached descriptor gives.

use crate::queue::EIOEVENTQUEUED;
use crate::sys::Result;

/// What a call comes to by the slow path.
pub(crate) enum Answer {
    /// It is done, with IOEVENT_INLINE: bytes, or -errno.
    Done(isize),
    /// It is queued.
    Queued,
    /// A value, or an error: then nothing was queued.
    Slow(Result<usize>),
    /// The descriptor is not attached, or the call is libc's.
    Libcs,
}

impl Answer {
    /// What `submit` has given.
    pub(crate) fn of(submitted: Option<Result<usize>>) -> Answer {
        match submitted {
            Some(Err(errno)) if errno == EIOEVENTQUEUED => Answer::Queued,
            Some(result) => Answer::Slow(result),
            None => Answer::Libcs,
        }
    }
}
