//! The other descriptor of a sendfile or splice: the one that does not own the operation.
//!
//! It is nobody's business until the operation has to wait. Then the library holds its open file by a copy, since the
//! program may close its own descriptor at any time, and the engine watches the copy if it can be watched.
//!
//! (Closing the copy would make the process lose its locks of fcntl(2) on the file; `private::close` sees to that. To
//! go on using the program's number instead is no way: it may be another file's between a look and a call.)

use crate::queue::op::{FROM_SOURCE, OWN_OTHER, OpRef};
use crate::state::private;
use crate::sys::{Errno, Result, UserPtr, fd, nature};
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

/// Ends that. `unwatch` is called with a descriptor that may be watched.
pub(crate) fn let_go(op: OpRef, unwatch: impl FnOnce(c_int)) {
    private::close_after(number(op), unwatch);
    op.unmark(OWN_OTHER);
}

/// Whether the operation belongs to its source, so that the other one is the destination.
pub(crate) fn is_destination(op: OpRef) -> bool {
    op.has(FROM_SOURCE)
}
