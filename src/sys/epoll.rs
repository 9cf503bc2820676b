//! epoll(7), eventfd(2) and timerfd_create(2): what the epoll engine sleeps on.

use super::fd::OwnedFd;
use super::raw::{self, Sysno};
use super::time::timespec;
use super::{Errno, Result};
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering};

pub(crate) use libc::{
    EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDBAND, EPOLLRDHUP, EPOLLRDNORM,
    EPOLLWRBAND, EPOLLWRNORM,
};

/// One entry of what epoll_wait(2) gives.
pub(crate) type Event = libc::epoll_event;

/// A new epoll instance, close-on-exec.
pub(crate) fn create() -> Result<OwnedFd> {
    // SAFETY: no pointers.
    let fd = unsafe { raw::call1(Sysno::epoll_create1, libc::EPOLL_CLOEXEC as usize)? };
    Ok(OwnedFd::adopt(fd as c_int))
}

/// A new disarmed timer on CLOCK_MONOTONIC, close-on-exec, nonblocking.
pub(crate) fn timerfd() -> Result<OwnedFd> {
    let flags = libc::TFD_CLOEXEC | libc::TFD_NONBLOCK;
    // SAFETY: no pointers.
    let fd = unsafe { raw::call2(Sysno::timerfd_create, libc::CLOCK_MONOTONIC as usize, flags as usize)? };
    Ok(OwnedFd::adopt(fd as c_int))
}

/// A new eventfd with count 1, which is never read: it is readable for ever. Close-on-exec.
pub(crate) fn readable_eventfd() -> Result<OwnedFd> {
    let flags = libc::EFD_CLOEXEC | libc::EFD_NONBLOCK;
    // SAFETY: no pointers.
    let fd = unsafe { raw::call2(Sysno::eventfd2, 1, flags as usize)? };
    Ok(OwnedFd::adopt(fd as c_int))
}

/// Whether an epoll instance has an entry for the file and number `fd`. Nothing else happens, whatever the two are.
pub(crate) fn is_registered(epfd: c_int, fd: c_int) -> bool {
    if epfd < 0 || fd < 0 {
        return false;
    }
    match add(epfd, fd, 0, NOTHING) {
        // That there is one is found out before whether there is room for another; a filter may say the latter all the
        // same.
        Err(errno) => errno == Errno::EEXIST || errno == Errno::ENOSPC,
        Ok(()) => {
            let _ = delete(epfd, fd);
            false
        }
    }
}

/// Registers an eventfd that is readable anew, with `data`: an edge. Nothing happens where one of the two is another
/// file by now.
pub(crate) fn wake(epfd: c_int, eventfd: c_int, data: u64) {
    let _ = modify(epfd, eventfd, EDGE, data);
}

/// Tell once when it becomes readable.
pub(crate) const EDGE: u32 = (EPOLLIN | EPOLLET) as u32;

/// Data of an entry that means nothing.
pub(crate) const NOTHING: u64 = 2;

/// Arms a timerfd: it goes off once, at a time of CLOCK_MONOTONIC in nanoseconds.
pub(crate) fn arm(timerfd: c_int, time: u64) -> Result<()> {
    let zero = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let spec = libc::itimerspec { it_interval: zero, it_value: timespec(time.max(1)) };
    let flags = libc::TFD_TIMER_ABSTIME;
    // SAFETY: `spec` is read; no old value is asked for.
    unsafe {
        raw::call4(Sysno::timerfd_settime, timerfd as usize, flags as usize, &raw const spec as usize, 0)?;
    }
    Ok(())
}

fn control(epfd: c_int, op: c_int, fd: c_int, events: u32, data: u64) -> Result<()> {
    let event = Event { events, u64: data };
    // SAFETY: `event` is read.
    let r = unsafe {
        raw::call4(Sysno::epoll_ctl, epfd as usize, op as usize, fd as usize, &raw const event as usize)
    };
    match r {
        // EPERM means that this file cannot be watched; it must mean nothing else.
        Err(Errno::EPERM) if check_control().is_err() => Err(Errno::ENOSYS),
        r => r.map(drop),
    }
}

/// An error if epoll_ctl(2) is refused as such.
pub(super) fn check_control() -> Result<()> {
    // SAFETY: to delete takes no event. Nothing is there to be deleted.
    let r = unsafe { raw::call4(Sysno::epoll_ctl, usize::MAX, libc::EPOLL_CTL_DEL as usize, usize::MAX, 0) };
    raw::unless_refused(r)
}

/// EPOLL_CTL_ADD.
pub(crate) fn add(epfd: c_int, fd: c_int, events: u32, data: u64) -> Result<()> {
    control(epfd, libc::EPOLL_CTL_ADD, fd, events, data)
}

/// EPOLL_CTL_MOD.
pub(crate) fn modify(epfd: c_int, fd: c_int, events: u32, data: u64) -> Result<()> {
    control(epfd, libc::EPOLL_CTL_MOD, fd, events, data)
}

/// EPOLL_CTL_DEL.
pub(crate) fn delete(epfd: c_int, fd: c_int) -> Result<()> {
    control(epfd, libc::EPOLL_CTL_DEL, fd, 0, 0)
}

/// What a wait on a number gives that was closed: EBADF too if it is another file by now.
#[cold]
fn not_an_instance(errno: Errno) -> Errno {
    if errno == Errno::EINVAL { Errno::EBADF } else { errno }
}

/// epoll_wait(2): up to `events.len()` events that are there now, or after waiting for at most `timeout`
/// nanoseconds (`None`: for ever).
#[inline]
pub(crate) fn wait(epfd: c_int, events: &mut [MaybeUninit<Event>], timeout: Option<u64>) -> Result<&[Event]> {
    let n = match timeout {
        None => wait_milliseconds(epfd, events, -1),
        Some(0) => wait_milliseconds(epfd, events, 0),
        Some(ns) => wait_nanoseconds(epfd, events, ns),
    };
    let n = n.map_err(not_an_instance)?;
    // SAFETY: the kernel has filled the first `n` entries, and `n` is at most the length it was given.
    Ok(unsafe { core::slice::from_raw_parts(events.as_ptr().cast(), n) })
}

/// epoll_wait(2) without a limit, or without waiting. What the kernel answers: how many there are, or -errno. Other
/// errors than EINTR are to be found out anew by `wait`.
#[inline(always)]
pub(crate) fn wait_plainly(epfd: c_int, events: &mut [MaybeUninit<Event>], waits: bool) -> isize {
    let (epfd, to, most) = (epfd as u32 as usize, events.as_mut_ptr() as usize, events.len());
    let timeout: c_int = if waits { -1 } else { 0 };
    // SAFETY: the kernel writes at most `most` entries.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        raw::answer4(Sysno::epoll_wait, epfd, to, most, timeout as usize)
    }
    // SAFETY: as above; there is no mask.
    #[cfg(not(target_arch = "x86_64"))]
    unsafe {
        raw::answer6(Sysno::epoll_pwait, epfd, to, most, timeout as usize, 0, 8)
    }
}

#[inline]
fn wait_milliseconds(epfd: c_int, events: &mut [MaybeUninit<Event>], timeout: c_int) -> Result<usize> {
    // Other processors have no epoll_wait.
    #[cfg(target_arch = "x86_64")]
    {
        let (epfd, to, most) = (epfd as u32 as usize, events.as_mut_ptr() as usize, events.len());
        // SAFETY: the kernel writes at most `most` entries.
        match unsafe { raw::call4(Sysno::epoll_wait, epfd, to, most, timeout as usize) } {
            Err(errno) if errno.is_refusal() => {}
            r => return r,
        }
    }
    wait_without_mask(epfd, events, timeout)
}

#[cfg_attr(target_arch = "x86_64", cold)]
fn wait_without_mask(epfd: c_int, events: &mut [MaybeUninit<Event>], timeout: c_int) -> Result<usize> {
    let (epfd, to, most) = (epfd as u32 as usize, events.as_mut_ptr() as usize, events.len());
    // SAFETY: the kernel writes at most `most` entries; there is no mask.
    unsafe { raw::call6(Sysno::epoll_pwait, epfd, to, most, timeout as usize, 0, 8) }
}

/// Set once the kernel, or a filter in front of it, has refused epoll_pwait2 (Linux 5.11).
static WITHOUT_PWAIT2: AtomicBool = AtomicBool::new(false);

fn wait_nanoseconds(epfd: c_int, events: &mut [MaybeUninit<Event>], ns: u64) -> Result<usize> {
    // Relaxed: a hint; a thread that misses it asks the kernel itself.
    if !WITHOUT_PWAIT2.load(Ordering::Relaxed) {
        let spec = timespec(ns);
        // SAFETY: as in `wait_milliseconds`; `spec` is read.
        let r = unsafe {
            raw::call6(
                Sysno::epoll_pwait2,
                epfd as usize,
                events.as_mut_ptr() as usize,
                events.len(),
                &raw const spec as usize,
                0,
                8,
            )
        };
        match r {
            Err(errno) if errno.is_refusal() => WITHOUT_PWAIT2.store(true, Ordering::Relaxed),
            r => return r,
        }
    }
    let ms = ns.div_ceil(1_000_000).min(c_int::MAX as u64);
    wait_milliseconds(epfd, events, ms as c_int)
}
