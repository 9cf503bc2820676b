//! The memory that an operation moves, and where: buffers, arrays of them, msghdrs, lengths of addresses, positions.

use crate::engine::iovecs::Iovecs;
use crate::queue::op::{Kind, LENGTH_BY_POINTER, LENGTH_NEGATIVE, OpRef};
use crate::sys::file::{Buffers, Position};
use crate::sys::{Result, UserPtr};
use core::ffi::c_int;

/// The kernel refuses more buffers than this with EINVAL.
const MOST_IOVECS: usize = 1024;

/// Whether an array has more buffers than the kernel takes.
pub(crate) fn too_many(op: OpRef) -> bool {
    matches!(op.kind.get(), Kind::Readv | Kind::Writev | Kind::Preadv | Kind::Pwritev)
        && op.len.get() as usize > MOST_IOVECS
}

/// Calls `call` with where the kernel finds the length of the operation's address, and leaves the length that the
/// address has: the caller's own variable, or a copy if it was read when the operation was queued.
#[inline]
pub(crate) fn with_length(op: OpRef, call: impl FnOnce(UserPtr) -> Result<usize>) -> Result<usize> {
    match op.length.get() {
        LENGTH_BY_POINTER => call(op.addrlen.get()),
        length => with_length_copied(op, length, call),
    }
}

#[cold]
fn with_length_copied(op: OpRef, length: u8, call: impl FnOnce(UserPtr) -> Result<usize>) -> Result<usize> {
    let mut copy: c_int = if length == LENGTH_NEGATIVE { -1 } else { length.into() };
    // SAFETY: it is used only during the call.
    let r = call(unsafe { UserPtr::new(&raw mut copy) });
    if r.is_ok() {
        // SAFETY: the caller's variable was read when the operation was queued, and is the library's since (rule 2.3).
        unsafe { *(op.addrlen.get().addr() as *mut c_int) = copy };
    }
    r
}

/// The buffers of an operation from its beginning on.
pub(crate) fn buffers(op: OpRef) -> Buffers {
    match op.kind.get() {
        Kind::Readv | Kind::Writev | Kind::Preadv | Kind::Pwritev => {
            Buffers::Many { iov: op.buf.get(), count: op.len.get() as usize }
        }
        _ => Buffers::One { buf: op.buf.get(), len: op.len.get() as usize },
    }
}

/// Where in the file an operation begins.
pub(crate) fn position(op: OpRef) -> Position {
    match op.kind.get() {
        Kind::Pread | Kind::Preadv | Kind::Pwrite | Kind::Pwritev => Position::at(op.addr.get().addr()),
        _ => Position::OWN,
    }
}

/// How many bytes the operation moves in all. Some were moved already.
#[inline]
pub(crate) fn total(op: OpRef) -> usize {
    match op.kind.get() {
        Kind::Readv | Kind::Writev | Kind::Preadv | Kind::Pwritev => {
            // SAFETY: the kernel has just moved bytes to or from this array.
            unsafe { Iovecs::accepted(op.buf.get(), op.len.get() as usize) }.total()
        }
        Kind::Sendmsg => message_iovecs(op).total(),
        _ => op.len.get() as usize,
    }
}

/// The operation's msghdr, which the kernel has accepted.
pub(crate) fn message<'a>(op: OpRef) -> &'a libc::msghdr {
    // SAFETY: the kernel has read the msghdr in this operation, so it is there, and is the library's (rule 2.3).
    unsafe { &*(op.buf.get().addr() as *const libc::msghdr) }
}

/// The iovecs of the operation's msghdr.
pub(crate) fn message_iovecs<'a>(op: OpRef) -> Iovecs<'a> {
    let message = message(op);
    // SAFETY: the kernel has accepted the array with the same call.
    unsafe { Iovecs::accepted(UserPtr::new(message.msg_iov), message.msg_iovlen as _) }
}

/// Calls `call` with a msghdr that has the given iovecs and nothing else.
pub(crate) fn with_message<T>(iov: UserPtr, count: usize, call: impl FnOnce(UserPtr) -> T) -> T {
    // SAFETY: zero is a valid msghdr.
    let mut message: libc::msghdr = unsafe { core::mem::zeroed() };
    message.msg_iov = iov.addr() as *mut libc::iovec;
    message.msg_iovlen = count as _;
    // SAFETY: the msghdr is used only during the call.
    call(unsafe { UserPtr::new(&raw mut message) })
}
