//! The C functions, as results: a value, or errno.

use std::ffi::{c_int, c_void};
use std::io;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::ptr::{null_mut, without_provenance_mut};

const F_SETIOEVENTPIPE: c_int = 0x494f_0001;
const F_GETIOEVENTPIPE: c_int = 0x494f_0002;
const F_GETIOEVENTTIMEO: c_int = 0x494f_0004;
const F_SETIOEVENTFLAGS: c_int = 0x494f_0005;
const F_GETIOEVENTFLAGS: c_int = 0x494f_0006;
const F_SETIOEVENTSZ: c_int = 0x494f_0007;
const F_GETIOEVENTSZ: c_int = 0x494f_0008;
const F_GETIOEVENTCNT: c_int = 0x494f_0009;

#[repr(C)]
#[derive(Clone, Copy)]
struct Event {
    user: *mut c_void,
    result: c_int,
    errno: c_int,
}

unsafe extern "C" {
    fn ioeventpipe(nevents: c_int) -> c_int;
    fn ioevent_close(fd: c_int) -> c_int;
    fn ioevent_fcntl(fd: c_int, cmd: c_int, ...) -> c_int;
    fn ioevent_read(fd: c_int, buf: *mut c_void, nbytes: usize) -> isize;
    fn ioevent_write(fd: c_int, buf: *const c_void, nbytes: usize) -> isize;
    fn ioevent_wait(fd: c_int, events: *mut Event, nevents: c_int, time: *const libc::timespec) -> c_int;
    fn ioevent_cancel(fd: c_int) -> c_int;
}

fn result(value: isize) -> Result<usize, i32> {
    usize::try_from(value).map_err(|_| io::Error::last_os_error().raw_os_error().unwrap())
}

fn number(value: c_int) -> Result<usize, i32> {
    result(value as isize)
}

/// A pipe of C's with 16 places.
pub(crate) struct Pipe(pub(crate) RawFd);

impl Pipe {
    pub(crate) fn new() -> Pipe {
        // SAFETY: a number.
        Pipe(unsafe { ioeventpipe(16) })
    }

    pub(crate) fn wait(&self) -> Result<Vec<(usize, i32, i32)>, i32> {
        wait(self.0)
    }

    /// The number as Rust owns one; to be given back.
    pub(crate) fn owned(&self) -> OwnedFd {
        // SAFETY: until `is_owned_by` nothing else closes it.
        unsafe { OwnedFd::from_raw_fd(self.0) }
    }

    pub(crate) fn is_owned_by(&self, owned: OwnedFd) {
        assert_eq!(owned.into_raw_fd(), self.0);
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // SAFETY: its own number.
        assert_eq!(unsafe { ioevent_close(self.0) }, 0);
    }
}

/// Harvests what there is, after a second at most: word, result, errno of each.
pub(crate) fn wait(fd: RawFd) -> Result<Vec<(usize, i32, i32)>, i32> {
    let mut events = [Event { user: null_mut(), result: 0, errno: 0 }; 16];
    let time = libc::timespec { tv_sec: 1, tv_nsec: 0 };
    // SAFETY: room for as many.
    let count = number(unsafe { ioevent_wait(fd, events.as_mut_ptr(), 16, &time) })?;
    Ok(events[..count].iter().map(|event| (event.user.addr(), event.result, event.errno)).collect())
}

pub(crate) fn attach(fd: RawFd, pipe: RawFd, word: usize) -> Result<usize, i32> {
    // SAFETY: what the command takes; the word is not dereferenced.
    number(unsafe { ioevent_fcntl(fd, F_SETIOEVENTPIPE, pipe, without_provenance_mut::<c_void>(word)) })
}

pub(crate) fn detach(fd: RawFd) -> Result<usize, i32> {
    attach(fd, -1, 0)
}

/// The pipe and the word that it is attached with.
pub(crate) fn attached_to(fd: RawFd) -> Result<(c_int, usize), i32> {
    let (mut pipe, mut user): (c_int, *mut c_void) = (77, without_provenance_mut(77));
    // SAFETY: what the command takes.
    number(unsafe { ioevent_fcntl(fd, F_GETIOEVENTPIPE, &raw mut pipe, &raw mut user) })?;
    Ok((pipe, user.addr()))
}

pub(crate) fn timeout(fd: RawFd) -> Result<usize, i32> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: what the command takes.
    number(unsafe { ioevent_fcntl(fd, F_GETIOEVENTTIMEO, &raw mut time) })
}

pub(crate) fn flags(fd: RawFd) -> Result<usize, i32> {
    // SAFETY: it takes nothing.
    number(unsafe { ioevent_fcntl(fd, F_GETIOEVENTFLAGS) })
}

pub(crate) fn set_flags(fd: RawFd, flags: c_int) -> Result<usize, i32> {
    // SAFETY: what the command takes.
    number(unsafe { ioevent_fcntl(fd, F_SETIOEVENTFLAGS, flags) })
}

pub(crate) fn capacity(fd: RawFd) -> Result<usize, i32> {
    // SAFETY: it takes nothing.
    number(unsafe { ioevent_fcntl(fd, F_GETIOEVENTSZ) })
}

pub(crate) fn set_capacity(fd: RawFd, capacity: c_int) -> Result<usize, i32> {
    // SAFETY: what the command takes.
    number(unsafe { ioevent_fcntl(fd, F_SETIOEVENTSZ, capacity) })
}

pub(crate) fn places_taken(fd: RawFd) -> Result<usize, i32> {
    // SAFETY: it takes nothing.
    number(unsafe { ioevent_fcntl(fd, F_GETIOEVENTCNT) })
}

/// What is read is there until it is harvested: the tests see to that.
pub(crate) fn read(fd: RawFd, bytes: &mut [u8]) -> Result<usize, i32> {
    // SAFETY: a buffer, which lives longer than what is outstanding.
    result(unsafe { ioevent_read(fd, bytes.as_mut_ptr().cast(), bytes.len()) })
}

pub(crate) fn write(fd: RawFd, bytes: &[u8]) -> Result<usize, i32> {
    // SAFETY: as above.
    result(unsafe { ioevent_write(fd, bytes.as_ptr().cast(), bytes.len()) })
}

pub(crate) fn cancel(fd: RawFd) -> Result<usize, i32> {
    // SAFETY: a number.
    number(unsafe { ioevent_cancel(fd) })
}

/// Closes a number that is not open.
pub(crate) fn close_nothing() -> Result<usize, i32> {
    // SAFETY: a number.
    number(unsafe { ioevent_close(-1) })
}
