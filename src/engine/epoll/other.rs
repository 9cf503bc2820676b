//! The other descriptor of a sendfile or splice: the one that does not own the operation.
//!
//! It is nobody's business until the operation has to wait. Then the library holds its open file, since the program may close its
//! own descriptor. What can be watched is held by a copy, and the engine watches that. A disk file is not watched, and programs
//! take locks on such files, which they would lose when a copy was closed: so it is held without a descriptor (`socket::pin`),
//! and the program's own number is used as long as it still is that file. Only when it is not, there is a descriptor for it.

use crate::engine::op::{FROM_SOURCE, OWN_OTHER, OpRef};
use crate::engine::private;
use crate::sys::{Errno, Result, UserPtr, fd, socket};
use core::ffi::c_int;

/// A held descriptor as `Op::buf` keeps it: the number, and one more than that of the pin, or 0.
fn pack(number: c_int, pin: Option<c_int>) -> UserPtr {
    let pin = pin.map_or(0, |pin| pin as u32 as usize + 1);
    UserPtr::number(pin << 32 | number as u32 as usize)
}

fn number(op: OpRef) -> c_int {
    op.buf.get().addr() as c_int
}

fn pin(op: OpRef) -> Option<c_int> {
    match op.buf.get().addr() >> 32 {
        0 => None,
        pin => Some((pin - 1) as c_int),
    }
}

/// The flags of a splice. (While the other descriptor is held, the word that they come in has its identity.)
pub(super) fn flags(op: OpRef) -> c_int {
    if op.has(OWN_OTHER) { op.length.get().into() } else { op.arg.get() }
}

/// The number to use for the other descriptor now. EBADF if it was lost.
pub(super) fn current(op: OpRef) -> Result<c_int> {
    let number = number(op);
    if !op.has(OWN_OTHER) {
        return Ok(number);
    }
    let is_what_it_was = match pin(op) {
        Some(_) => fd::identity(number) == op.arg.get(),
        None => private::is_kept(number),
    };
    match pin(op) {
        _ if is_what_it_was => Ok(number),
        None => Err(Errno::EBADF),
        // The program has closed it, and with that has lost what locks it had on the file.
        Some(pin) => {
            if !private::is_kept(pin) {
                return Err(Errno::EBADF);
            }
            let taken = private::keep(socket::take_pinned(pin)?)?;
            op.buf.set(pack(taken, None));
            private::close(pin);
            Ok(taken)
        }
    }
}

/// Holds the open file of the other descriptor, from now on until `let_go`; returns the descriptor to be watched, if that is to be.
/// EMFILE if there is none to be had.
pub(super) fn hold(op: OpRef) -> Result<Option<c_int>> {
    let number = number(op);
    let nature = fd::nature(number)?;
    let (packed, watched) = if fd::is_disk_type(nature.kind) {
        (pack(number, Some(private::keep(socket::pin(number)?)?)), None)
    } else {
        let copy = private::keep(fd::duplicate(number)?)?;
        (pack(copy, None), Some(copy))
    };
    op.buf.set(packed);
    op.length.set(op.arg.replace(nature.identity) as u8);
    op.mark(OWN_OTHER);
    Ok(watched)
}

/// Ends that. `unwatch` is called with a descriptor that may be watched.
pub(super) fn let_go(op: OpRef, unwatch: impl FnOnce(c_int)) {
    match pin(op) {
        Some(pin) => private::close(pin),
        None => {
            let copy = number(op);
            if private::is_kept(copy) {
                unwatch(copy);
            }
            private::close(copy);
        }
    }
    op.unmark(OWN_OTHER);
}

/// Whether the operation belongs to its source, so that the other one is the destination.
pub(super) fn is_destination(op: OpRef) -> bool {
    op.has(FROM_SOURCE)
}
