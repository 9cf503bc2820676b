//! One try of I/O on a file that is no socket, and whose I/O does not wait for a disk.

use super::nonblock::{self, File};
use crate::state::attachment::{Locked, NO_NOWAIT_READ, NO_NOWAIT_WRITE};
use crate::state::file_class::Class;
use crate::state::private;
use crate::sys::file::{self, Buffers, Position};
use crate::sys::{Errno, Result, fd, nature};
use core::ffi::c_int;

/// The open file through which the I/O of a FIFO or terminal goes, or nothing if there is none to be had.
fn own_file(attachment: &Locked) -> Option<c_int> {
    if attachment.class.get() != Class::Reopened {
        return None;
    }
    if attachment.own_fd().is_none() {
        // A FIFO cannot be opened for writing while it has no reader: then the descriptor itself gives EPIPE.
        let own = fd::reopen_nonblocking(attachment.fd()).ok()?;
        // What was opened of a terminal that had been hung up by then is another session's. (What was opened before is
        // hung up with the rest.)
        if nature::is_hung_up(attachment.fd()) {
            return None;
        }
        attachment.set_own_fd(Some(private::keep(own).ok()?));
    }
    attachment.own_fd().filter(|own| private::is_kept(*own))
}

/// Moves no bytes: what comes of it depends on the kind of file, and it may wait.
#[cold]
fn nothing(attachment: &Locked, call: impl FnOnce(c_int) -> Result<usize>) -> Result<usize> {
    match own_file(attachment) {
        Some(own) => call(own),
        None => nonblock::with(File::of(attachment), || call(attachment.fd())),
    }
}

/// Reads a file that is no socket. Where the kernel has no way to say for one call that it shall not wait, O_NONBLOCK
/// is set for its length (rule 4.5).
pub(crate) fn read_file(attachment: &Locked, to: Buffers, at: Position) -> Result<usize> {
    let fd = attachment.fd();
    match to {
        Buffers::One { buf, len: 0 } if at == Position::OWN => {
            return nothing(attachment, |fd| file::read_nothing(fd, buf));
        }
        _ => {}
    }
    if let Some(own) = own_file(attachment) {
        return file::read(own, to, at);
    }
    if !attachment.has(NO_NOWAIT_READ) {
        match file::read_nowait(fd, to, at) {
            Err(Errno::EOPNOTSUPP) => attachment.mark(NO_NOWAIT_READ),
            r => return r,
        }
    }
    nonblock::with(File::of(attachment), || file::read(fd, to, at))
}

/// The same for writing.
pub(crate) fn write_file(attachment: &Locked, from: Buffers, at: Position) -> Result<usize> {
    let fd = attachment.fd();
    match from {
        Buffers::One { buf, len: 0 } if at == Position::OWN => {
            return nothing(attachment, |fd| file::write_nothing(fd, buf));
        }
        _ => {}
    }
    if let Some(own) = own_file(attachment) {
        return file::write(own, from, at);
    }
    if !attachment.has(NO_NOWAIT_WRITE) {
        match file::write_nowait(fd, from, at) {
            Err(Errno::EOPNOTSUPP) => attachment.mark(NO_NOWAIT_WRITE),
            r => return r,
        }
    }
    nonblock::with(File::of(attachment), || file::write(fd, from, at))
}
