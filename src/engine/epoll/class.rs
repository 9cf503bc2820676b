//! What kind of file a descriptor is.

use crate::state::attachment::{Inside, Locked, READABLE, WRITABLE};
use crate::state::file_class::Class;
use crate::sys::{Result, nature, socket};
use core::ffi::c_int;

/// Finds out, when the descriptor is attached, how its I/O is to be done. An error if the kernel does not say what it
/// is: to treat it as what it is not would lose data.
pub(crate) fn classify(attachment: &Locked) -> Result<()> {
    let number = attachment.fd();
    let nature = nature::nature(number)?;
    let class = match nature.kind {
        libc::S_IFREG if nature.is_of_the_kernel() => Class::Special,
        kind if nature::is_disk_type(kind) => {
            make_disk(attachment, nature.identity);
            return Ok(());
        }
        libc::S_IFSOCK if socket::is_plain_tcp(number) => {
            if socket::connects_late(number) {
                Class::Deferred
            } else {
                Class::Tcp
            }
        }
        libc::S_IFSOCK if socket::is_stream(number)? => Class::Stream,
        libc::S_IFSOCK => Class::Datagram,
        libc::S_IFIFO if nature.is_unnamed_pipe() => Class::Pipe,
        libc::S_IFIFO => Class::Reopened,
        0 if nature::is_perf_event(number) => Class::Perf,
        libc::S_IFCHR if nature::is_reopenable_terminal(number) => Class::Reopened,
        _ => Class::File,
    };
    attachment.class.set(class);
    attachment.mark(READABLE | WRITABLE);
    if class != Class::Reopened {
        attachment.set_identity(nature.identity);
    }
    Ok(())
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
pub(crate) fn distrust(attachment: &Locked) {
    if attachment.class.get().is_tcp() {
        attachment.class.set(Class::Stream);
    }
}

/// Another engine watches from now on. It knows nothing of what this one has seen, or would have.
pub(crate) fn begin_anew(attachment: &Inside) {
    if attachment.class.get() == Class::PlainTcp {
        attachment.class.set(Class::Tcp);
    }
}
