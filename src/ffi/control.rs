//! ioevent_fcntl and ioevent_strerror.

#![allow(clippy::missing_safety_doc)] // Each comment says what the pointers must be good for.

use super::constants::{
    EIOEVENTFULL, EIOEVENTQUEUED, F_GETIOEVENTCNT, F_GETIOEVENTFLAGS, F_GETIOEVENTPIPE, F_GETIOEVENTSZ,
    F_GETIOEVENTTIMEO, F_SETIOEVENTFLAGS, F_SETIOEVENTPIPE, F_SETIOEVENTSZ, F_SETIOEVENTTIMEO,
    IOEVENT_INLINE, IOEVENT_POLLONLY,
};
use super::plain_names::{self, F_PLAIN_NAMES};
use super::{answer, pipe as ffi_pipe};
use crate::calls::attach::{self, Modes};
use crate::calls::lookup;
use crate::state::world;
use crate::sys::{Errno, next, time};
use core::ffi::{c_char, c_int, c_void};
use core::ptr::null_mut;

#[cfg(cbindgen)]
unsafe extern "C" {
    /// fcntl(2), with commands of its own; all others are handed to fcntl(2).
    ///
    /// F_SETIOEVENTPIPE, int pipefd, void *user: attaches fd to the pipe, or changes pipe and user pointer for
    /// operations queued from now on; pipefd -1 detaches. Errors: EBADF (fd or pipefd is not open), EINVAL (pipefd is
    /// no pipe, or fd is one), EEXIST (the crate has it attached in Rust), ENOMEM, ENOSPC. F_GETIOEVENTPIPE, int
    /// *pipefd, void **user: what fd is attached to; -1 and NULL if it is not. Errors: EBADF, EFAULT. On an attached
    /// descriptor (EINVAL on others): F_SETIOEVENTTIMEO, const struct timespec *: bounds operations queued from now on,
    /// zero: no limit. F_GETIOEVENTTIMEO, struct timespec *. F_SETIOEVENTFLAGS, int: IOEVENT_INLINE, IOEVENT_POLLONLY.
    /// F_GETIOEVENTFLAGS returns them. On a pipe: F_SETIOEVENTSZ, int nevents: its capacity; EBUSY if more places are
    /// taken, EINVAL below 1. F_GETIOEVENTSZ, F_GETIOEVENTCNT: return its capacity, and the places taken. Any thread.
    /// ioevent_fcntl(3), rules 2.8, 2.11, 3.1, 3.8, 4.2, 4.3, 4.6.
    pub fn ioevent_fcntl(fd: c_int, cmd: c_int, ...) -> c_int;
}

/// `ioevent_fcntl` of the header. Variadic functions get their arguments in the same registers as others do, on both
/// architectures, up to the number of arguments there is here. MSRV(c_variadic): Rust cannot define these yet.
///
/// cbindgen:ignore
#[cfg(not(cbindgen))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_fcntl(fd: c_int, cmd: c_int, first: usize, second: usize) -> c_int {
    let is_ours = (F_SETIOEVENTPIPE..=F_GETIOEVENTCNT).contains(&cmd);
    if !is_ours && lookup::is_nothing(fd) {
        // SAFETY: as promised by the caller: the argument is what the command takes.
        return unsafe { next::fcntl(fd, cmd, first) };
    }
    // SAFETY: passed on to the caller.
    unsafe { fcntl_slow(fd, cmd, first, second) }
}

/// # Safety
///
/// As for `ioevent_fcntl`.
#[inline(never)]
unsafe fn fcntl_slow(fd: c_int, cmd: c_int, first: usize, second: usize) -> c_int {
    match cmd {
        F_SETIOEVENTPIPE => answer(|| attach::attach(fd, first as c_int, second).map(|()| 0)),
        F_GETIOEVENTPIPE => {
            let (number, user) = (first as *mut c_int, second as *mut *mut c_void);
            answer(|| {
                if number.is_null() || user.is_null() {
                    return Err(Errno::EFAULT);
                }
                let attached = attach::attached_to(fd)?;
                let (its_number, its_user) = attached.unwrap_or((-1, 0));
                // SAFETY: the caller gives an int and a pointer to write to.
                unsafe {
                    *number = its_number;
                    *user = if its_user == 0 { null_mut() } else { its_user as *mut c_void };
                }
                Ok(0)
            })
        }
        F_SETIOEVENTTIMEO => answer(|| {
            // SAFETY: the caller gives a timespec or NULL.
            let timeout = unsafe { (first as *const libc::timespec).as_ref() }.ok_or(Errno::EFAULT)?;
            attach::set_timeout(fd, ffi_pipe::nanoseconds(timeout)?).map(|()| 0)
        }),
        F_GETIOEVENTTIMEO => answer(|| {
            let timeout = first as *mut libc::timespec;
            if timeout.is_null() {
                return Err(Errno::EFAULT);
            }
            let nanoseconds = attach::timeout(fd)?;
            // SAFETY: the caller gives a timespec to write to.
            unsafe { *timeout = time::timespec(nanoseconds) };
            Ok(0)
        }),
        F_SETIOEVENTFLAGS => answer(|| {
            let flags = first as c_int;
            if flags & !(IOEVENT_INLINE | IOEVENT_POLLONLY) != 0 {
                return Err(Errno::EINVAL);
            }
            let modes =
                Modes { inline: flags & IOEVENT_INLINE != 0, poll_only: flags & IOEVENT_POLLONLY != 0 };
            attach::set_modes(fd, modes).map(|()| 0)
        }),
        F_GETIOEVENTFLAGS => answer(|| {
            let modes = attach::modes(fd)?;
            Ok(if modes.inline { IOEVENT_INLINE } else { 0 }
                | if modes.poll_only { IOEVENT_POLLONLY } else { 0 })
        }),
        F_SETIOEVENTSZ => answer(|| {
            lookup::enter_whole(fd)?;
            lookup::enter_own(fd)?.queue.set_capacity(first as c_int)
        }),
        F_GETIOEVENTSZ => answer(|| Ok(lookup::enter_whole(fd)?.queue.capacity())),
        F_GETIOEVENTCNT => answer(|| Ok(lookup::enter_whole(fd)?.queue.places_taken())),
        F_PLAIN_NAMES if fd == -1 => answer(|| {
            // SAFETY: as promised by the caller, which is libioevent_posix.
            unsafe { plain_names::meet(first as *const _, second as *mut _) }
        }),
        // SAFETY: as promised by the caller: the argument is what the command takes.
        _ => {
            // First of all: in a forked child this makes sure that the number is not the parent's pipe any more.
            let pipe = lookup::find_pipe(fd);
            // SAFETY: as above.
            let r = unsafe { next::fcntl(fd, cmd, first) };
            if cmd == libc::F_SETFL && r == 0 && !world::is_borrowed() {
                if let Ok(Some(pipe)) = pipe {
                    pipe.set_nonblock(first as c_int & libc::O_NONBLOCK != 0);
                }
            }
            r
        }
    }
}

/// Like strerror(3), and knows EIOEVENTFULL and EIOEVENTQUEUED too. Returns a string that must not be changed. Any
/// thread that may call strerror(3). ioevent_strerror(3).
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_strerror(errnum: c_int) -> *const c_char {
    match errnum {
        EIOEVENTFULL => c"Ioevent pipe is full".as_ptr(),
        EIOEVENTQUEUED => c"Operation queued on ioevent pipe".as_ptr(),
        // SAFETY: strerror takes any number.
        _ => unsafe { next::strerror(errnum) },
    }
}
