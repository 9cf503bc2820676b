//! Reads and writes that libioevent.so knows in another form: preadv2 and pwritev2, eventfd_read and eventfd_write.
//!
//! Called when the first look (`entry`) has found something, or could not tell.

use crate::errors::fail;
use crate::libioevent::{
    ioevent_preadv, ioevent_pwritev, ioevent_read, ioevent_readv, ioevent_write, ioevent_writev,
};
use crate::look::{What, what};
use crate::names::Name;
use crate::start::pass;
use core::ffi::{c_int, c_void};
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::SeqCst;

/// preadv2 and pwritev2: an attached descriptor, or a pipe, takes them without flags.
macro_rules! vectors {
    ($function:ident, $at:ident, $at_position:ident) => {
        pub(crate) unsafe extern "C" fn $function(
            fd: c_int,
            iov: *const c_void,
            count: c_int,
            offset: i64,
            flags: c_int,
        ) -> isize {
            match what(fd) {
                // SAFETY: passed on to the caller.
                What::Nothing | What::PollOnly => unsafe {
                    pass(
                        Name::$function,
                        [fd as usize, iov as usize, count as usize, offset as usize, flags as usize, 0],
                    )
                },
                _ if flags != 0 => fail(libc::EOPNOTSUPP),
                // SAFETY: passed on to the caller.
                _ if offset == -1 => unsafe { $at_position(fd, iov, count) },
                // SAFETY: passed on to the caller.
                _ => unsafe { $at(fd, iov, count, offset) },
            }
        }
    };
}

vectors!(preadv2, ioevent_preadv, ioevent_readv);
vectors!(preadv64v2, ioevent_preadv, ioevent_readv);
vectors!(pwritev2, ioevent_pwritev, ioevent_writev);
vectors!(pwritev64v2, ioevent_pwritev, ioevent_writev);

/// read(2) of eight bytes. When it is queued the number is the library's until the event has been read.
pub(crate) unsafe extern "C" fn eventfd_read(fd: c_int, value: *mut c_void) -> isize {
    match what(fd) {
        // SAFETY: passed on to the caller.
        What::Nothing | What::PollOnly => unsafe {
            pass(Name::eventfd_read, [fd as usize, value as usize, 0, 0, 0, 0])
        },
        // SAFETY: passed on to the caller.
        _ => whole(unsafe { ioevent_read(fd, value, 8) }),
    }
}

/// write(2) of eight bytes. When it is queued they are the library's until the event has been read, but the caller
/// gives a number, not a place where it stays.
pub(crate) unsafe extern "C" fn eventfd_write(fd: c_int, value: u64) -> isize {
    match what(fd) {
        // SAFETY: there are no pointers.
        What::Nothing | What::PollOnly => unsafe {
            pass(Name::eventfd_write, [fd as usize, value as usize, 0, 0, 0, 0])
        },
        _ => match kept(value) {
            // SAFETY: these are eight bytes that are never changed again.
            Some(place) => whole(unsafe { ioevent_write(fd, place.as_ptr().cast(), 8) }),
            None => fail(libc::EOPNOTSUPP),
        },
    }
}

/// Numbers that were written to eventfds, each once: as a rule that is 1.
static KEPT: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];
static ZERO: AtomicU64 = AtomicU64::new(0);

/// A place that has this number for ever. None is left after so many different ones.
fn kept(value: u64) -> Option<&'static AtomicU64> {
    if value == 0 {
        return Some(&ZERO);
    }
    KEPT.iter().find(|place| {
        let found = place.load(SeqCst);
        found == value
            || found == 0
                && place.compare_exchange(0, value, SeqCst, SeqCst).map_or_else(|now| now == value, |_| true)
    })
}

/// What they return.
fn whole(result: isize) -> isize {
    if result == 8 { 0 } else { -1 }
}
