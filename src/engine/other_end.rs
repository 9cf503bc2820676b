//! The other descriptor of a sendfile or splice: the one that does not own the operation.
//!
//! It does not matter until the operation has to wait. Then the library holds its open file by a copy, since the
//! program may close its own descriptor at any time, and the engine watches the copy if it can be watched.
//!
//! (Closing the copy would make the process lose its locks of fcntl(2) on the file; `private::close` sees to that. To
//! go on using the program's number instead is no way: it may be another file's between a question and a call.)

use crate::queue::op::{FROM_SOURCE, OWN_OTHER, OpRef, TIMED};
use crate::state::poller::Poller;
use crate::state::{private, world};
use crate::sys::{Errno, Result, UserPtr, epoll as sys, fd, nature};
use core::ffi::c_int;

fn number(op: OpRef) -> c_int {
    op.buf.get().addr() as c_int
}

/// The number to use for the other descriptor now. EBADF if the library's copy was lost.
pub(crate) fn current(op: OpRef) -> Result<c_int> {
    let number = number(op);
    if op.has(OWN_OTHER) && !private::is_kept(number) { Err(Errno::EBADF) } else { Ok(number) }
}

/// Holds the open file of the other descriptor, from now on until `let_go`; returns the descriptor to be watched, if
/// that is to be. EMFILE if there is none to be had.
pub(crate) fn hold(op: OpRef) -> Result<Option<c_int>> {
    let copy = private::keep(fd::duplicate(number(op))?)?;
    op.buf.set(UserPtr::number(copy as usize));
    op.mark(OWN_OTHER);
    let is_disk = nature::nature(copy).is_ok_and(|nature| nature::is_disk_type(nature.kind));
    Ok((!is_disk).then_some(copy))
}

/// Ends that: the copy is neither watched nor held any more.
pub(crate) fn let_go(op: OpRef, poller: &Poller) {
    private::close_after(number(op), |copy| {
        let _ = sys::delete(poller.epfd(), copy);
    });
    op.unmark(OWN_OTHER);
}

/// Whether the operation belongs to its source, so that the other one is the destination.
pub(crate) fn is_destination(op: OpRef) -> bool {
    op.has(FROM_SOURCE)
}

/// Gives back what an operation, of whatever pipe, holds beside its node: its place among the deadlines, and the other
/// descriptor.
pub(crate) fn release(op: OpRef) {
    let Some(pipe) = world::pipe(op.pipe.get()) else { return };
    if op.has(TIMED) {
        pipe.engine().alarm.forget(op);
    }
    if op.has(OWN_OTHER) {
        let_go(op, pipe.engine());
    }
    op.unmark(TIMED);
}
