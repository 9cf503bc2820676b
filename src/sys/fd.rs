//! Descriptors: making, moving, closing, waiting for them, and the flags of their open files.

use super::raw::{self, Refusable, Sysno};
use super::time::timespec;
use super::{Errno, Result};
use core::ffi::{CStr, c_int};

/// A descriptor of the library's own; closed when dropped.
#[derive(Debug)]
pub(crate) struct OwnedFd(c_int);

impl OwnedFd {
    /// Takes over a descriptor that a system call has just made.
    pub(super) fn adopt(fd: c_int) -> OwnedFd {
        OwnedFd(fd)
    }

    pub(crate) fn raw(&self) -> c_int {
        self.0
    }

    /// Gives the number away: nothing closes it any more.
    pub(crate) fn into_raw(self) -> c_int {
        let fd = self.0;
        core::mem::forget(self);
        fd
    }

    /// Another descriptor of the same open file, close-on-exec, where programs rarely look: the low numbers stay free
    /// for the application, which may count on getting the lowest.
    pub(crate) fn duplicate_out_of_the_way(&self) -> Result<OwnedFd> {
        const BASE: u64 = 512;
        let base = BASE.min(descriptor_limit() / 2);
        match control(self.0, libc::F_DUPFD_CLOEXEC, base as usize) {
            Err(Errno::EINVAL | Errno::EMFILE) => control(self.0, libc::F_DUPFD_CLOEXEC, 0),
            r => r,
        }
        .map(|fd| OwnedFd(fd as c_int))
    }

    /// The same, and the low number is given back.
    pub(crate) fn move_out_of_the_way(self) -> Result<OwnedFd> {
        self.duplicate_out_of_the_way()
    }
}

impl Drop for OwnedFd {
    fn drop(&mut self) {
        let _ = close(self.0);
    }
}

impl From<OwnedFd> for std::os::fd::OwnedFd {
    /// Gives it to the program.
    fn from(fd: OwnedFd) -> std::os::fd::OwnedFd {
        // SAFETY: a system call has made it, and with `fd` its only owner ends.
        unsafe { std::os::fd::FromRawFd::from_raw_fd(fd.into_raw()) }
    }
}

/// The soft limit on descriptor numbers.
fn descriptor_limit() -> u64 {
    let mut limit = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is written.
    let r =
        unsafe { raw::call4(Sysno::prlimit64, 0, libc::RLIMIT_NOFILE as usize, 0, &raw mut limit as usize) };
    if r.is_ok() { limit.rlim_cur } else { 1024 }
}

/// close(2). The number is free afterwards whatever the answer is.
pub(crate) fn close(fd: c_int) -> Result<()> {
    static CLOSE: Refusable = Refusable::new(Sysno::close);
    // SAFETY: no pointers. The caller owns the descriptor.
    let r = unsafe { raw::call1(Sysno::close, fd as usize) };
    // A file may have its own reasons to answer like that; then its number is free.
    if CLOSE.explains(&r, 0) {
        // SAFETY: as above.
        unsafe { raw::call3(Sysno::close_range, fd as usize, fd as usize, 0)? };
        return Ok(());
    }
    r.map(drop)
}

/// fcntl(2) with an integer argument.
pub(crate) fn control(fd: c_int, cmd: c_int, arg: usize) -> Result<usize> {
    // SAFETY: the commands used in this crate take an integer or nothing.
    unsafe { raw::call3(Sysno::fcntl, fd as usize, cmd as usize, arg) }
}

/// EBADF unless `fd` is open.
pub(crate) fn check_open(fd: c_int) -> Result<()> {
    control(fd, libc::F_GETFD, 0).map(drop)
}

/// What is wrong with a descriptor that is not of the kind that is needed: EBADF if it is not open, else EINVAL.
pub(crate) fn unfit(fd: c_int) -> Errno {
    check_open(fd).err().unwrap_or(Errno::EINVAL)
}

/// The status flags of the open file behind `fd`.
pub(crate) fn status_flags(fd: c_int) -> Result<c_int> {
    control(fd, libc::F_GETFL, 0).map(|flags| flags as c_int)
}

/// Runs `call` with O_NONBLOCK set on the open file, which is put back afterwards unless it was set before (rule
/// 4.5). Others that share the open file can see it for that long.
pub(crate) fn with_nonblock<T>(fd: c_int, call: impl FnOnce() -> Result<T>) -> Result<T> {
    let flags = status_flags(fd)?;
    if flags & libc::O_NONBLOCK != 0 {
        return call();
    }
    with_flags(fd, flags, flags | libc::O_NONBLOCK, call)
}

/// Runs `call` with status flags set on the open file, which are put back to what they were afterwards.
pub(crate) fn with_flags<T>(
    fd: c_int,
    before: c_int,
    set: c_int,
    call: impl FnOnce() -> Result<T>,
) -> Result<T> {
    set_status_flags(fd, set)?;
    let r = call();
    let _ = set_status_flags(fd, before);
    r
}

/// Sets the status flags of the open file behind `fd`.
pub(crate) fn set_status_flags(fd: c_int, flags: c_int) -> Result<()> {
    control(fd, libc::F_SETFL, flags as usize).map(drop)
}

/// Another descriptor of the same open file as `fd`, close-on-exec, out of the application's way.
pub(crate) fn duplicate(fd: c_int) -> Result<OwnedFd> {
    // Not owned here, and so not dropped.
    core::mem::ManuallyDrop::new(OwnedFd(fd)).duplicate_out_of_the_way()
}

/// A new open file for the FIFO or terminal behind `fd`, with O_NONBLOCK of its own.
pub(crate) fn reopen_nonblocking(fd: c_int) -> Result<OwnedFd> {
    let access = status_flags(fd)? & libc::O_ACCMODE;
    let flags = access | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
    let mut path = *b"/proc/self/fd/\0\0\0\0\0\0\0\0\0\0\0\0";
    let mut digits = [0u8; 10];
    let mut rest = fd as u32;
    let mut n = 0;
    for digit in &mut digits {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        n += 1;
        if rest == 0 {
            break;
        }
    }
    for (to, from) in path.iter_mut().skip(14).zip(digits.iter().take(n).rev()) {
        *to = *from;
    }
    // At most ten digits were written before the last two bytes. (It stays on its number: to move it would be to close
    // a descriptor of the file, and with that to lose the process's locks on it.)
    open(CStr::from_bytes_until_nul(&path).unwrap_or(c""), flags)
}

/// What openat2(2) takes.
#[repr(C)]
struct How {
    flags: u64,
    mode: u64,
    resolve: u64,
}

pub(super) fn open(path: &CStr, flags: c_int) -> Result<OwnedFd> {
    let directory = libc::AT_FDCWD as usize;
    // SAFETY: the path ends in a zero byte.
    let r = unsafe { raw::call4(Sysno::openat, directory, path.as_ptr() as usize, flags as usize, 0) };
    match r {
        Err(errno) if errno.is_refusal() => {
            let how = How { flags: flags as u64, mode: 0, resolve: 0 };
            let (how, size) = (&raw const how as usize, size_of::<How>());
            // SAFETY: as above; `how` is read.
            let other = unsafe { raw::call4(Sysno::openat2, directory, path.as_ptr() as usize, how, size) };
            // What openat says of it matters more.
            other.or(r)
        }
        r => r,
    }
    .map(|fd| OwnedFd::adopt(fd as c_int))
}

/// poll(2) on one descriptor without waiting: what of `events` (and POLLERR, POLLHUP, POLLNVAL) holds now.
pub(crate) fn poll_now(fd: c_int, events: i16) -> Result<i16> {
    let mut entry = libc::pollfd { fd, events, revents: 0 };
    poll(core::slice::from_mut(&mut entry), 0)?;
    Ok(entry.revents)
}

/// An entry for `poll`: waits for `fd` to be readable.
pub(crate) fn readable(fd: c_int) -> libc::pollfd {
    libc::pollfd { fd, events: libc::POLLIN, revents: 0 }
}

/// poll(2). The timeout is in milliseconds; -1 waits for ever.
pub(crate) fn poll(entries: &mut [libc::pollfd], timeout: c_int) -> Result<usize> {
    let mut time = timespec(timeout.max(0) as u64 * 1_000_000);
    let time = if timeout < 0 { 0 } else { &raw mut time as usize };
    // SAFETY: the kernel reads and writes the entries, and the time if it gets one. (ppoll: aarch64 has no poll.)
    let r = unsafe { raw::call5(Sysno::ppoll, entries.as_mut_ptr() as usize, entries.len(), time, 0, 8) };
    #[cfg(target_arch = "x86_64")]
    if r.is_err_and(Errno::is_refusal) {
        let timeout = timeout as usize;
        // SAFETY: as above.
        return unsafe { raw::call3(Sysno::poll, entries.as_mut_ptr() as usize, entries.len(), timeout) };
    }
    r
}
