//! An ioevent pipe, for what is measured inside one process.

use crate::c::{self, Event, Operation};
use std::ffi::c_int;
use std::io::{Error, Result};
use std::os::fd::{AsRawFd, RawFd};
use std::ptr;
use std::time::Duration;

/// An ioevent pipe.
pub struct Pipe(c_int);

impl Pipe {
    /// A pipe with so many places.
    pub fn new(places: c_int) -> Result<Pipe> {
        // SAFETY: no pointers.
        match unsafe { c::ioeventpipe(places) } {
            -1 => Err(Error::last_os_error()),
            fd => Ok(Pipe(fd)),
        }
    }

    /// Posts as many as have a place; returns how many.
    #[inline]
    pub fn post(&self, events: &[Event]) -> Result<usize> {
        // SAFETY: so many bytes are there, and they are `struct ioevent`s.
        let n = unsafe { c::ioevent_write(self.0, events.as_ptr().cast(), size_of_val(events)) };
        if n >= 0 {
            return Ok(n as usize / size_of::<Event>());
        }
        let error = Error::last_os_error();
        if error.raw_os_error() == Some(c::EIOEVENTFULL) { Ok(0) } else { Err(error) }
    }

    /// Harvests at least one.
    #[inline]
    pub fn harvest(&self, room: &mut [Event]) -> Result<usize> {
        // SAFETY: there is room for so many.
        let n = unsafe { c::ioevent_wait(self.0, room.as_mut_ptr(), room.len() as c_int, ptr::null()) };
        if n >= 0 { Ok(n as usize) } else { Err(Error::last_os_error()) }
    }

    /// Attaches a descriptor.
    pub fn attach(&self, fd: &impl AsRawFd, user: usize) -> Result<()> {
        // SAFETY: what this command takes are an int and a pointer that is only a number.
        match unsafe { c::ioevent_fcntl(fd.as_raw_fd(), c::F_SETIOEVENTPIPE, self.0, user) } {
            0 => Ok(()),
            _ => Err(Error::last_os_error()),
        }
    }

    /// Sets the time limit of an attached descriptor.
    pub fn set_limit(&self, fd: &impl AsRawFd, limit: Duration) -> Result<()> {
        let limit = timespec(limit);
        // SAFETY: what this command takes is a pointer to a time.
        match unsafe { c::ioevent_fcntl(fd.as_raw_fd(), c::F_SETIOEVENTTIMEO, &raw const limit) } {
            0 => Ok(()),
            _ => Err(Error::last_os_error()),
        }
    }

    /// Sets a timer.
    #[inline]
    pub fn set_timer(&self, user: usize, time: Duration) -> Result<()> {
        // SAFETY: numbers and pointers, which may be 0.
        let nothing: Operation = unsafe { std::mem::zeroed() };
        let user = ptr::without_provenance_mut(user);
        let timeout = timespec(time);
        let op = Operation { kind: c::IOEVENT_OP_TIMER, fd: self.0, user, timeout, ..nothing };
        // SAFETY: one operation, with no buffer.
        match unsafe { c::ioevent_submit(&op, 1) } {
            1 => Ok(()),
            _ => Err(Error::last_os_error()),
        }
    }

    /// Cancels the timers with this user pointer; returns how many.
    #[inline]
    pub fn cancel_timer(&self, user: usize) -> Result<usize> {
        let what = c::IOEVENT_CANCEL_ALL | c::IOEVENT_CANCEL_USER;
        // SAFETY: the pointer is only a number.
        match unsafe { c::ioevent_cancel2(self.0, what, ptr::without_provenance(user)) } {
            -1 => Err(Error::last_os_error()),
            n => Ok(n as usize),
        }
    }

    /// Queues a read.
    ///
    /// # Safety
    /// The buffer must be left alone until the event has been harvested.
    #[inline]
    pub unsafe fn read(&self, fd: RawFd, buffer: *mut u8, len: usize) -> Result<()> {
        // SAFETY: as promised by the caller.
        queued(unsafe { c::ioevent_read(fd, buffer.cast(), len) })
    }

    /// Queues a read at an offset.
    ///
    /// # Safety
    /// The buffer must be left alone until the event has been harvested.
    #[inline]
    pub unsafe fn pread(&self, fd: RawFd, buffer: *mut u8, len: usize, offset: libc::off_t) -> Result<()> {
        // SAFETY: as promised by the caller.
        queued(unsafe { c::ioevent_pread(fd, buffer.cast(), len, offset) })
    }
}

/// A time as C has it.
fn timespec(time: Duration) -> libc::timespec {
    libc::timespec { tv_sec: time.as_secs() as libc::time_t, tv_nsec: time.subsec_nanos().into() }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // SAFETY: no pointers.
        unsafe { c::ioevent_close(self.0) };
    }
}

#[inline]
fn queued(answer: isize) -> Result<()> {
    let error = Error::last_os_error();
    if answer == -1 && error.raw_os_error() == Some(c::EIOEVENTQUEUED) {
        return Ok(());
    }
    Err(if answer == -1 { error } else { Error::other("it was not queued: not attached?") })
}
