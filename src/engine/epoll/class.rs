//! What kind of file a descriptor is.

use crate::state::attachment::{Inside, Locked, READABLE, WRITABLE};
use crate::state::file_class::Class;
use crate::sys::nature::{self, Look};
use crate::sys::{Result, socket};
use core::ffi::c_int;

/// Finds out, when the descriptor is attached, how its I/O is to be done, with what a first look has told. An error if
/// the kernel does not say what it is: to treat it as what it is not would lose data.
pub(crate) fn classify(attachment: &Locked, look: Look) -> Result<()> {
    attachment.mark(READABLE | WRITABLE);
    match look {
        Look::StreamSocket => attachment.class.set(Class::Fresh),
        Look::MessageSocket => attachment.class.set(Class::Datagram),
        Look::Other => return classify_other(attachment),
    }
    Ok(())
}

fn classify_other(attachment: &Locked) -> Result<()> {
    let number = attachment.fd();
    let nature = nature::nature(number)?;
    let class = match nature.kind {
        libc::S_IFREG if nature.is_of_the_kernel() => Class::Special,
        kind if nature::is_disk_type(kind) => {
            make_disk(attachment, nature.identity);
            return Ok(());
        }
        // The first look was refused.
        libc::S_IFSOCK if socket::is_stream(number)? => Class::Fresh,
        libc::S_IFSOCK => Class::Datagram,
        libc::S_IFIFO if nature.is_unnamed_pipe() => Class::Pipe,
        libc::S_IFIFO => Class::Reopened,
        0 if nature::is_perf_event(number) => Class::Perf,
        libc::S_IFCHR if nature::is_reopenable_terminal(number) => Class::Reopened,
        _ => Class::File,
    };
    attachment.class.set(class);
    if class != Class::Reopened {
        attachment.set_identity(nature.identity);
    }
    Ok(())
}

/// Finds out what was left open of a stream socket.
pub(crate) fn learn(attachment: &Locked) {
    let number = attachment.fd();
    let class = match attachment.class.get() {
        Class::Fresh | Class::Met | Class::MetIdle if !socket::is_plain_tcp(number) => Class::Stream,
        Class::Fresh if socket::connects_late(number) => Class::Deferred,
        Class::Fresh | Class::Met | Class::MetIdle => Class::Tcp,
        _ => return,
    };
    attachment.class.set(class);
}

/// In an identity: the open file was marked.
const MARKED: c_int = 1 << 30;

/// It is a disk file, or something that is always ready as those are.
pub(crate) fn make_disk(attachment: &Locked, identity: c_int) {
    let fd = attachment.fd();
    attachment.class.set(Class::Disk);
    attachment.mark(READABLE | WRITABLE);
    attachment.set_identity(identity | if nature::mark(fd) { MARKED } else { 0 });
}

/// Which file it is (`nature::identity`).
pub(crate) fn identity(attachment: &Locked) -> c_int {
    match attachment.class.get() {
        Class::Reopened => nature::identity(attachment.fd()),
        Class::Disk => attachment.identity() & !MARKED,
        // Few sockets are ever asked.
        class if class.is_socket() && attachment.identity() < 0 => {
            attachment.set_identity(nature::identity(attachment.fd()));
            attachment.identity()
        }
        _ => attachment.identity(),
    }
}

/// Whether the descriptor still is the disk file that was attached, as far as device, inode and mark tell.
pub(crate) fn is_same_disk(attachment: &Locked) -> bool {
    let fd = attachment.fd();
    let identity = attachment.identity();
    attachment.class.get() == Class::Disk
        && nature::identity(fd) == identity & !MARKED
        && !(identity & MARKED != 0 && nature::was_never_marked(fd))
}

/// A short read of this descriptor proves nothing any more: urgent data or the end of the stream may lie behind it.
/// `is_connected`: it has its connection, over which these come.
pub(crate) fn distrust(attachment: &Locked, is_connected: bool) {
    if attachment.class.get() == Class::Fresh && !is_connected {
        learn(attachment);
    }
    match attachment.class.get() {
        Class::Tcp | Class::PlainTcp | Class::Fresh | Class::Met | Class::MetIdle => {
            attachment.class.set(Class::Stream);
        }
        _ => {}
    }
}

/// Another engine watches from now on. It knows nothing of what this one has seen, or would have.
pub(crate) fn begin_anew(attachment: &Inside) {
    if attachment.class.get() == Class::PlainTcp {
        attachment.class.set(Class::Tcp);
    }
}
