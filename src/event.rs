//! Events: what comes out of a pipe.

use core::ffi::{c_int, c_void};

/// An event: one operation is complete, or one struct was posted.
/// cbindgen:field-names=[ioe_user, ioe_result, ioe_errno]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub(crate) struct RawEvent {
    /// The user pointer that the descriptor was attached with when the operation was queued.
    pub(crate) user: *mut c_void,
    /// What the system call returned.
    pub(crate) result: c_int,
    /// Its errno; 0 if it did not fail. With the count of a part: ECANCELED or ETIMEDOUT if that is why it was ended
    /// early.
    pub(crate) errno: c_int,
}

impl RawEvent {
    /// One that is kept in two words, as in a ring (`ring::pack`).
    #[inline(always)]
    pub(crate) fn of_words(user: u64, outcome: u64) -> RawEvent {
        RawEvent { user: user as usize as *mut _, result: outcome as c_int, errno: (outcome >> 32) as c_int }
    }
}

const _: () = assert!(size_of::<RawEvent>() == 16 && align_of::<RawEvent>() == 8);
const _: () =
    assert!(core::mem::offset_of!(RawEvent, result) == 8 && core::mem::offset_of!(RawEvent, errno) == 12);
