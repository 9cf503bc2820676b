//! Dead descriptors, and how they take the places of those that may not be used any more.

use super::fd::{self, OwnedFd};
use super::raw::{self, Sysno};
use super::{Errno, Result, epoll};
use core::ffi::c_int;

/// A descriptor that can do nothing but be closed: `open("/", O_PATH | O_CLOEXEC)`; or, if nothing can be opened, an
/// epoll instance of its own, which cannot be read or written either.
pub(crate) fn open() -> Result<OwnedFd> {
    fd::open(c"/", libc::O_PATH | libc::O_CLOEXEC).or_else(|_| epoll::create())
}

/// Puts a copy of a dead descriptor in the place of `fd`; if there is none to be had, `fd` is closed all the same.
pub(crate) fn kill(fd: c_int, dead: &Result<OwnedFd>) {
    if !dead.as_ref().is_ok_and(|dead| replace(fd, dead.raw()).is_ok()) {
        let _ = fd::close(fd);
    }
}

/// dup3(2) with O_CLOEXEC. Where there is none, another thread could be given the number in between; in a forked child
/// there is no other.
fn replace(fd: c_int, by: c_int) -> Result<()> {
    // SAFETY: no pointers.
    let r = unsafe { raw::call3(Sysno::dup3, by as usize, fd as usize, libc::O_CLOEXEC as usize) };
    if !r.is_err_and(Errno::is_refusal) {
        return r.map(drop);
    }
    fd::close(fd)?;
    let copy = OwnedFd::adopt(fd::control(by, libc::F_DUPFD_CLOEXEC, fd as usize)? as c_int);
    if copy.raw() == fd {
        copy.into_raw();
    }
    Ok(())
}
