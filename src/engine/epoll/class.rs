//! What kind of file a descriptor is.

use crate::engine::attachment::{Class, Locked, READABLE, WRITABLE};
use crate::sys::{fd, socket};

/// Finds out, when the descriptor is attached, how its I/O is to be done.
pub(super) fn classify(attachment: &Locked) {
    let number = attachment.fd.get();
    let class = match fd::file_type(number) {
        Ok(kind) if fd::is_disk_type(kind) => return make_disk(attachment),
        Ok(libc::S_IFSOCK) if socket::is_plain_tcp(number) => Class::PlainTcp,
        Ok(libc::S_IFSOCK) if socket::is_stream(number) => Class::Stream,
        Ok(libc::S_IFSOCK) => Class::Datagram,
        Ok(libc::S_IFIFO) if !fd::is_unnamed_pipe(number) => Class::Reopened,
        Ok(libc::S_IFCHR) if fd::is_reopenable_terminal(number) => Class::Reopened,
        _ => Class::File,
    };
    attachment.class.set(class);
    attachment.ready.set(READABLE | WRITABLE);
}

/// It is a disk file, or something that is always ready as those are.
pub(super) fn make_disk(attachment: &Locked) {
    attachment.class.set(Class::Disk);
    attachment.ready.set(READABLE | WRITABLE);
    attachment.set_identity(fd::identity(attachment.fd.get()));
}

/// Whether the descriptor still is the disk file that was attached, as far as device and inode tell.
pub(super) fn is_same_disk(attachment: &Locked) -> bool {
    attachment.class.get() == Class::Disk && fd::identity(attachment.fd.get()) == attachment.identity()
}

/// A short read of this descriptor proves nothing any more: urgent data or the end of the stream may lie behind it.
pub(super) fn distrust(attachment: &Locked) {
    if attachment.class.get() == Class::PlainTcp {
        attachment.class.set(Class::Stream);
    }
}
