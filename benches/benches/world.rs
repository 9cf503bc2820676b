//! What the measurements of functions share.
#![allow(clippy::undocumented_unsafe_blocks)] // Every block is a C call on memory of a World, which lives for ever.

use criterion::Criterion;
use ioevent_benches::c::*;
use std::ffi::{c_int, c_void};
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::ptr;

/// The length of a message.
pub(crate) const MESSAGE: usize = 64;

/// Ends everything with a message if something is not as it must be: then no figure is right.
#[track_caller]
pub(crate) fn must(right: bool, what: &str) {
    if !right {
        let error = std::io::Error::last_os_error();
        eprintln!("{}: {what} ({error})", std::panic::Location::caller());
        std::process::exit(1);
    }
}

/// The value of what must not have failed.
#[track_caller]
pub(crate) fn made<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| {
        eprintln!("{}: {error}", std::panic::Location::caller());
        std::process::exit(1)
    })
}

/// A call that must have been queued.
#[inline]
#[track_caller]
pub(crate) fn queued(answer: isize) {
    let errno = unsafe { *libc::__errno_location() };
    must(answer == -1 && errno == EIOEVENTQUEUED, "it was not queued");
}

/// A pipe, two connected sockets of which the first is attached to it, and buffers. It lives for ever.
pub(crate) struct World {
    pub(crate) pipe: c_int,
    /// Attached.
    pub(crate) near: c_int,
    /// The other end of it.
    pub(crate) far: c_int,
    /// As `near` and `far`, but not attached.
    pub(crate) plain: [c_int; 2],
    /// Of 64 KiB.
    pub(crate) buffer: *mut c_void,
}

impl World {
    pub(crate) fn new() -> World {
        let pipe = unsafe { ioeventpipe(1024) };
        must(pipe != -1, "ioeventpipe");
        let pair = || {
            let (one, other) = made(UnixStream::pair());
            [one.into_raw_fd(), other.into_raw_fd()]
        };
        let ([near, far], plain) = (pair(), pair());
        let buffer: &'static mut [u8] = Box::leak(vec![1; 64 << 10].into_boxed_slice());
        let world = World { pipe, near, far, plain, buffer: buffer.as_mut_ptr().cast() };
        world.attach(near);
        world
    }

    pub(crate) fn attach(&self, fd: c_int) {
        let answer = unsafe { ioevent_fcntl(fd, F_SETIOEVENTPIPE, self.pipe, 0_usize) };
        must(answer == 0, "F_SETIOEVENTPIPE");
    }

    /// A descriptor that is attached, and stays open.
    pub(crate) fn attached(&self, fd: impl Into<OwnedFd>) -> c_int {
        let fd = fd.into().into_raw_fd();
        self.attach(fd);
        fd
    }

    /// Harvests one event, whose result must be this.
    #[inline]
    #[track_caller]
    pub(crate) fn harvest(&self, result: isize) {
        let mut event = [Event::default(); 64];
        let n = unsafe { ioevent_wait(self.pipe, event.as_mut_ptr(), 64, ptr::null()) };
        let [first, ..] = event;
        must(n == 1 && first.result as isize == result, "not the event that was to come");
    }

    /// Harvests one event, and gives its result.
    #[inline]
    pub(crate) fn harvested(&self) -> c_int {
        let mut event = Event::default();
        let n = unsafe { ioevent_wait(self.pipe, &mut event, 1, ptr::null()) };
        must(n == 1 && event.result >= 0, "not the event that was to come");
        event.result
    }

    /// Writes a message into a socket.
    #[inline]
    pub(crate) fn fill(&self, fd: c_int) {
        let n = unsafe { libc::send(fd, self.buffer, MESSAGE, libc::MSG_NOSIGNAL) };
        must(n == MESSAGE as isize, "send");
    }

    /// Reads it, or as much as there is of up to 64 KiB.
    #[inline]
    pub(crate) fn drain(&self, fd: c_int) {
        let n = unsafe { libc::recv(fd, self.buffer, 64 << 10, 0) };
        must(n > 0, "recv");
    }
}

/// Measures a use of ours.
pub(crate) fn ours(c: &mut Criterion, case: &str, mut turn: impl FnMut()) {
    c.benchmark_group(case).bench_function("libioevent", |b| b.iter(&mut turn));
}

/// Measures a use of ours, and the same with libc.
pub(crate) fn both(c: &mut Criterion, case: &str, mut with_ours: impl FnMut(), mut with_libc: impl FnMut()) {
    let mut group = c.benchmark_group(case);
    group.bench_function("libioevent", |b| b.iter(&mut with_ours));
    group.bench_function("libc", |b| b.iter(&mut with_libc));
}

/// An anonymous file of 1 MiB.
pub(crate) fn memory_file() -> OwnedFd {
    use std::os::fd::FromRawFd;
    let fd = unsafe { libc::memfd_create(c"bench".as_ptr(), libc::MFD_CLOEXEC) };
    must(fd != -1 && unsafe { libc::ftruncate(fd, 1 << 20) } == 0, "memfd_create");
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// A file on a disk, with its blocks in the page cache; it has no name any more.
pub(crate) fn disk_file() -> OwnedFd {
    let directory = std::env::var_os("CRITERION_HOME").map_or_else(std::env::temp_dir, Into::into);
    made(std::fs::create_dir_all(&directory));
    let path = directory.join(format!("file.{}", std::process::id()));
    made(std::fs::write(&path, vec![1; 1 << 20]));
    let file = made(std::fs::File::options().read(true).write(true).open(&path));
    made(std::fs::remove_file(&path));
    must(file.as_raw_fd() >= 0, "a file");
    file.into()
}
