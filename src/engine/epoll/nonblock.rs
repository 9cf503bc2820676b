//! O_NONBLOCK for the length of one call (rule 4.5), where the kernel has no other way not to wait.
//!
//! The flag belongs to the open file, which several descriptors may share. Two threads that both set it for their call
//! would be in each other's way: the second finds it set, leaves it alone, and waits after all when the first one clears
//! it. So calls on files that may be the same one are made one after the other: there is a lock for each value of a hash
//! of the file's identity.

use super::stripes::Stripes;
use crate::engine::attachment::{Class, Locked};
use crate::engine::table;
use crate::sys::{Result, fd};
use core::ffi::c_int;

/// A descriptor, and which file it is (`fd::identity`).
#[derive(Clone, Copy)]
pub(super) struct File {
    pub(super) fd: c_int,
    pub(super) identity: c_int,
}

impl File {
    pub(super) fn of(attachment: &Locked) -> File {
        let fd = attachment.fd.get();
        let identity = match attachment.class.get() {
            Class::Reopened => fd::identity(fd),
            _ => attachment.identity(),
        };
        File { fd, identity }
    }

    fn stripe(self) -> usize {
        Stripes::of(self.identity)
    }
}

fn stripes() -> Option<&'static Stripes> {
    table::world().map(|world| &world.nonblock)
}

/// Makes a call that does not wait because of `file`.
pub(super) fn with<T>(file: File, call: impl FnOnce() -> Result<T>) -> Result<T> {
    let _lock = stripes().and_then(|stripes| stripes.lock(file.stripe()));
    fd::with_nonblock(file.fd, call)
}

/// The same for two files, each of which may be none of those that wait.
pub(super) fn with_both<T>(
    one: Option<File>,
    other: Option<File>,
    call: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let (Some(one), Some(other)) = (one, other) else {
        return match one.or(other) {
            Some(file) => with(file, call),
            None => call(),
        };
    };
    // The lower stripe first, so that no two threads wait for each other.
    let (first, second) = if one.stripe() <= other.stripe() { (one, other) } else { (other, one) };
    if first.stripe() == second.stripe() {
        return with(first, || fd::with_nonblock(second.fd, call));
    }
    with(first, || with(second, call))
}
