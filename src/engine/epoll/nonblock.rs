//! O_NONBLOCK for the length of one call (rule 4.5), where the kernel has no other way not to wait.
//!
//! The flag belongs to the open file, which several descriptors may share. Two threads that both set it for their call
//! would be in each other's way: the second finds it set, leaves it alone, and waits after all when the first one
//! clears it. So calls that set it on the same file are made one after the other (`IdentityLocks`). A file that the
//! program has set it on needs none of that.

use super::class;
use crate::state::attachment::Locked;
use crate::state::world;
use crate::sync::identity_locks::IdentityLocks;
use crate::sys::{Result, fd};
use core::ffi::c_int;

/// A descriptor, and which file it is (`nature::identity`).
#[derive(Clone, Copy)]
pub(crate) struct File {
    pub(crate) fd: c_int,
    pub(crate) identity: c_int,
}

impl File {
    pub(crate) fn of(attachment: &Locked) -> File {
        File { fd: attachment.fd(), identity: class::identity(attachment) }
    }
}

fn locks() -> Option<&'static IdentityLocks> {
    world::world().map(|world| &world.nonblock)
}

/// Makes a call that does not wait because of `file`.
pub(crate) fn with<T>(file: File, call: impl FnOnce() -> Result<T>) -> Result<T> {
    let Some(locks) = locks() else { return fd::with_nonblock(file.fd, call) };
    let mut flags = Ok(0);
    // Asked while no thread sets it for a call: so it is the program's own if it is set.
    let guard = locks.lock_if(file.identity, || {
        flags = fd::status_flags(file.fd);
        flags.is_ok_and(|flags| flags & libc::O_NONBLOCK == 0)
    });
    let flags = flags?;
    match guard {
        Some(_guard) => fd::with_flags(file.fd, flags, flags | libc::O_NONBLOCK, call),
        None => call(),
    }
}

/// The same for two files, each of which may be none of those that wait.
pub(crate) fn with_both<T>(
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
    // The lower identity first, so that no two threads wait for each other.
    let (first, second) = if one.identity <= other.identity { (one, other) } else { (other, one) };
    if first.identity == second.identity {
        return with(first, || fd::with_nonblock(second.fd, call));
    }
    with(first, || with(second, call))
}
