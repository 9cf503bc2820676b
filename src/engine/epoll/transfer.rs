//! sendfile and splice: from one descriptor to another, of which one is attached and owns the operation.
//!
//! The other one is nobody's business until the operation has to wait; then the library takes a descriptor of its own of
//! that open file (the program may close its own), and the engine watches it too: the tagged word (`OTHER_SIDE`) makes its
//! edges go to the owner.
//!
//! O_NONBLOCK is set on both for the length of the call (rule 4.5), except on disk files, where it means nothing: what
//! writes to a disk is for a worker; what reads from one is too, as long as the page cache does not have the beginning.

use super::attempt::Step;
use super::nonblock::{self, File};
use super::workers::Outcome;
use crate::engine::attachment::{Class, Locked};
use crate::engine::op::{BY_POINTER, FROM_SOURCE, Kind, MOST_BYTES, OWN_OTHER, OpRef};
use crate::sys::file::{self, Offset, Position};
use crate::sys::{Errno, Result, UserPtr, fd, memory, process};
use core::ffi::{c_int, c_short, c_uint};

/// One end.
#[derive(Clone, Copy)]
struct End {
    fd: c_int,
    is_disk: bool,
    /// What of it has to be told not to wait.
    waits: Option<File>,
}

impl End {
    fn of(fd: c_int, is_disk: bool, identity: c_int) -> End {
        End { fd, is_disk, waits: (!is_disk).then_some(File { fd, identity }) }
    }
}

/// The two ends.
#[derive(Clone, Copy)]
struct Ends {
    source: End,
    destination: End,
}

impl Ends {
    fn of(own: c_int, own_is_disk: bool, op: OpRef) -> Ends {
        let own = End::of(own, own_is_disk, fd::identity(own));
        let other = match fd::nature(other(op)) {
            Ok(nature) => End::of(other(op), fd::is_disk_type(nature.kind), nature.identity),
            Err(_) => End::of(other(op), false, -1),
        };
        if op.has(FROM_SOURCE) {
            Ends { source: own, destination: other }
        } else {
            Ends { source: other, destination: own }
        }
    }
}

/// The descriptor that does not own the operation.
pub(super) fn other(op: OpRef) -> c_int {
    op.buf.get().addr() as c_int
}

/// Gives the operation a descriptor of the library's own in the place of the program's; returns it. EMFILE if there is
/// none to be had.
pub(super) fn own_other(op: OpRef) -> Result<c_int> {
    if !op.has(OWN_OTHER) {
        let own = fd::duplicate(other(op))?.into_raw();
        op.buf.set(UserPtr::number(own as usize));
        op.mark(OWN_OTHER);
    }
    Ok(other(op))
}

/// Tries it, unless it is a worker's.
pub(super) fn attempt(attachment: &Locked, op: OpRef) -> Step {
    let ends = Ends::of(attachment.fd.get(), attachment.class.get() == Class::Disk, op);
    if ends.destination.is_disk || (ends.source.is_disk && is_cold(ends, op)) {
        return Step::Work;
    }
    transfer(ends, op)
}

/// What a worker does: writes to the disk, or fetches the beginning of what is to be read from it.
pub(super) fn work(own: c_int, own_is_disk: bool, op: OpRef) -> Outcome {
    let ends = Ends::of(own, own_is_disk, op);
    if ends.destination.is_disk {
        return match transfer(ends, op) {
            Step::Done(r) => Outcome::Done(r),
            _ => Outcome::Wait,
        };
    }
    if let Some(at) = source_position(ends, op) {
        file::warm(ends.source.fd, at);
    }
    // If the pages are gone again by then, that costs one wait for the disk.
    match transfer(ends, op) {
        Step::Done(r) => Outcome::Done(r),
        _ => Outcome::Wait,
    }
}

/// Whether an operation that reads is a transfer, and waits for its destination.
pub(super) fn waits_for_destination(op: OpRef) -> bool {
    const WRITABLE: c_short = libc::POLLOUT;
    matches!(op.kind.get(), Kind::Sendfile | Kind::Splice) && fd::poll_now(other(op), WRITABLE) == Ok(0)
}

/// Where in the source it goes on.
fn source_position(ends: Ends, op: OpRef) -> Option<usize> {
    let addr = op.addr.get();
    if !op.has(BY_POINTER) {
        return match addr.addr() {
            usize::MAX => file::position(ends.source.fd).ok(),
            offset => Some(offset + op.done.get() as usize),
        };
    }
    if addr.is_null() {
        return file::position(ends.source.fd).ok();
    }
    if !memory::has_word(addr) {
        // The call will say so.
        return None;
    }
    // SAFETY: it can be read, and is the library's (rule 2.3).
    Some(unsafe { (addr.addr() as *const libc::off_t).read_unaligned() } as usize)
}

fn is_cold(ends: Ends, op: OpRef) -> bool {
    // To the kernel -1 would be the file's own position, which that read moves.
    let is_offset = |at: &usize| (*at as i64) >= 0;
    source_position(ends, op).filter(is_offset).is_some_and(|at| file::is_cold(ends.source.fd, at))
}

/// An offset after the bytes that were moved: the kernel moves a caller's variable on by itself.
fn offset(op: OpRef, address: UserPtr) -> Offset {
    if op.has(BY_POINTER) {
        return Offset::Variable(address);
    }
    Offset::At(Position::at(address.addr()).after(op.done.get() as usize))
}

fn call(ends: Ends, op: OpRef) -> Result<usize> {
    let left = (op.len.get() as usize).min(MOST_BYTES) - op.done.get() as usize;
    let source = offset(op, op.addr.get());
    let call = || {
        process::without_sigpipe(|| match op.kind.get() {
            Kind::Sendfile => file::sendfile(ends.destination.fd, ends.source.fd, source, left),
            _ => file::splice(
                (ends.source.fd, source),
                (ends.destination.fd, offset(op, op.addrlen.get())),
                left,
                op.arg.get() as c_uint | libc::SPLICE_F_NONBLOCK,
            ),
        })
    };
    nonblock::with_both(ends.source.waits, ends.destination.waits, call)
}

/// Moves what can be moved without waiting for anything but a disk.
fn transfer(ends: Ends, op: OpRef) -> Step {
    loop {
        let done = op.done.get() as usize;
        match call(ends, op) {
            Ok(n) => {
                let done = done + n;
                op.done.set(done as u32);
                if n == 0 || done >= op.len.get() as usize {
                    return Step::Done(Ok(done));
                }
            }
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) if goes_on(ends, op) => return Step::Wait,
            Err(_) if done > 0 => return Step::Done(Ok(done)),
            Err(errno) => return Step::Done(Err(errno)),
        }
    }
}

/// Whether the call that waits would go on waiting. With a file as its source sendfile does until it has moved all, and
/// splice only until it has moved something; with another source both stop when that has no more, and go on while it is the
/// destination that they wait for.
fn goes_on(ends: Ends, op: OpRef) -> bool {
    const READABLE: c_short = libc::POLLIN;
    if op.done.get() == 0 {
        true
    } else if ends.source.is_disk {
        op.kind.get() == Kind::Sendfile
    } else {
        fd::poll_now(ends.source.fd, READABLE).is_ok_and(|revents| revents & READABLE != 0)
    }
}
