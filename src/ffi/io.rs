//! read, write, readv, writev, poll, close, cancel.

#![allow(clippy::missing_safety_doc)] // Each comment says what the pointers must be good for.

use super::constants::{
    IOEVENT_CANCEL_ALL, IOEVENT_CANCEL_IN, IOEVENT_CANCEL_OUT, IOEVENT_CANCEL_POLL, IOEVENT_CANCEL_USER,
};
use super::{answer, at_once_or, fail, lent, pipe, queue_or, queued};
use crate::engine::op::{Kind, Request};
use crate::engine::{self, Alone, Attachment, Queued, Which, Written};
use crate::sys::Errno;
use core::ffi::{c_int, c_short, c_void};
use libc::{iovec, ssize_t};

/// read(2), or harvesting.
///
/// On an attached descriptor the read is queued: -1 and EIOEVENTQUEUED. `buf` is the library's until the event has been
/// read; the event says how many bytes there were, 0 at end of file, or -1. On a pipe: reads as many whole struct
/// ioevent as are there and fit, and returns their bytes; waits for the first unless O_NONBLOCK is set. Errors there:
/// EINVAL (nbytes below the size of one), EAGAIN, EINTR, EBADF (the pipe was closed). On anything else: read(2).
/// Any thread. ioevent_read(3), rules 2.4, 3.2.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_read(fd: c_int, buf: *mut c_void, nbytes: usize) -> ssize_t {
    match engine::read_alone(fd, lent(buf), nbytes) {
        Queued::Done => queued(),
        // SAFETY: as promised by the caller.
        Queued::Inline(alone, node) => unsafe { read_inline(alone, node, fd, buf, nbytes) },
        // SAFETY: as promised by the caller.
        Queued::Not => unsafe { read_quickly(fd, buf, nbytes) },
    }
}

/// # Safety
///
/// As for `ioevent_read`.
#[inline(never)]
unsafe fn read_inline(
    alone: Alone,
    node: &'static Attachment,
    fd: c_int,
    buf: *mut c_void,
    nbytes: usize,
) -> ssize_t {
    // SAFETY: passed on to the caller.
    at_once_or(engine::read_inline_alone(alone, node, lent(buf), nbytes), || unsafe {
        read_slow(fd, buf, nbytes)
    })
}

/// # Safety
///
/// As for `ioevent_read`.
#[inline(never)]
unsafe fn read_quickly(fd: c_int, buf: *mut c_void, nbytes: usize) -> ssize_t {
    // SAFETY: passed on to the caller.
    at_once_or(engine::read_quickly(fd, lent(buf), nbytes), || unsafe { read_slow(fd, buf, nbytes) })
}

/// # Safety
///
/// As for `ioevent_read`.
#[inline(never)]
unsafe fn read_slow(fd: c_int, buf: *mut c_void, nbytes: usize) -> ssize_t {
    let request = Request { kind: Kind::Read, buf: lent(buf), len: nbytes, ..Request::NOTHING };
    // SAFETY: passed on to the caller.
    queue_or(fd, request, || unsafe { pipe::read(fd, buf, nbytes) })
}

/// write(2), or posting.
///
/// On an attached descriptor the write is queued: -1 and EIOEVENTQUEUED, or EIOEVENTFULL. `buf` is the library's until
/// the event has been read; a write to a stream is complete when all nbytes were taken; a part that was ended early has
/// ECANCELED or ETIMEDOUT in ioe_errno. No SIGPIPE. On a pipe: posts
/// whole struct ioevent, each to be harvested like any other event; returns the bytes of those that had a place.
/// Errors there: EIOEVENTFULL (none had), EINVAL (not whole structs), ENOMEM. On anything else: write(2). Any thread.
/// ioevent_read(3), rules 2.4, 3.5.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_write(fd: c_int, buf: *const c_void, nbytes: usize) -> ssize_t {
    match engine::write_alone(fd, lent(buf), nbytes) {
        Written::Whole => queued(),
        Written::Begun(alone, node, sent) => write_begun(alone, node, buf, nbytes, sent),
        // SAFETY: as promised by the caller.
        Written::Inline(alone, node) => unsafe { write_inline(alone, node, fd, buf, nbytes) },
        // SAFETY: as promised by the caller.
        Written::Not => unsafe { write_quickly(fd, buf, nbytes) },
    }
}

#[cold]
#[inline(never)]
fn write_begun(
    alone: Alone,
    node: &'static Attachment,
    buf: *const c_void,
    nbytes: usize,
    sent: isize,
) -> ssize_t {
    engine::write_begun_alone(alone, node, lent(buf), nbytes, sent);
    queued()
}

/// # Safety
///
/// As for `ioevent_write`.
#[inline(never)]
unsafe fn write_inline(
    alone: Alone,
    node: &'static Attachment,
    fd: c_int,
    buf: *const c_void,
    nbytes: usize,
) -> ssize_t {
    // SAFETY: passed on to the caller.
    at_once_or(engine::write_inline_alone(alone, node, lent(buf), nbytes), || unsafe {
        write_slow(fd, buf, nbytes)
    })
}

/// # Safety
///
/// As for `ioevent_write`.
#[inline(never)]
unsafe fn write_quickly(fd: c_int, buf: *const c_void, nbytes: usize) -> ssize_t {
    // SAFETY: passed on to the caller.
    at_once_or(engine::write_quickly(fd, lent(buf), nbytes), || unsafe { write_slow(fd, buf, nbytes) })
}

/// # Safety
///
/// As for `ioevent_write`.
#[inline(never)]
unsafe fn write_slow(fd: c_int, buf: *const c_void, nbytes: usize) -> ssize_t {
    let request = Request { kind: Kind::Write, buf: lent(buf), len: nbytes, ..Request::NOTHING };
    // SAFETY: passed on to the caller.
    queue_or(fd, request, || unsafe { pipe::write(fd, buf, nbytes) })
}

/// readv(2); queued on an attached descriptor; harvests on a pipe. The array and the buffers are the library's until the event has been
/// read. Any thread. ioevent_read(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_readv(fd: c_int, iov: *const iovec, iovcnt: c_int) -> ssize_t {
    let request =
        Request { kind: Kind::Readv, buf: lent(iov), len: iovcnt as u32 as usize, ..Request::NOTHING };
    // SAFETY: as promised by the caller.
    queue_or(fd, request, || unsafe { pipe::readv(fd, iov, iovcnt) })
}

/// writev(2); queued on an attached descriptor; posts on a pipe. The array and the buffers are the library's until the event has been
/// read. Any thread. ioevent_read(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_writev(fd: c_int, iov: *const iovec, iovcnt: c_int) -> ssize_t {
    let request =
        Request { kind: Kind::Writev, buf: lent(iov), len: iovcnt as u32 as usize, ..Request::NOTHING };
    // SAFETY: as promised by the caller.
    queue_or(fd, request, || unsafe { pipe::writev(fd, iov, iovcnt) })
}

/// Queues "tell me when it is ready" on an attached descriptor: -1 and EIOEVENTQUEUED.
///
/// The event's ioe_result is what poll(2) gives as revents: those of `events` that hold, POLLERR, POLLHUP, POLLNVAL. It
/// takes no buffer and stands outside the order of reads and writes. Errors: EIOEVENTFULL, EINVAL (not attached),
/// EBADF. Any thread. ioevent_poll(3), rule 2.10.
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_poll(fd: c_int, events: c_short) -> c_int {
    let request = Request { kind: Kind::Poll, arg: c_int::from(events), ..Request::NOTHING };
    queue_or(fd, request, || fail(crate::sys::fd::unfit(fd)))
}

/// close(2), for attached descriptors and pipes too.
///
/// Ends the outstanding operations of an attached descriptor; each still gives its event (the bytes that were moved, or
/// -1, and ECANCELED). Ends all operations of a pipe, whose events are gone with it; when it returns, no buffer is in
/// use and every descriptor is detached; threads that wait in a harvest get EBADF. Errors: as close(2). Any thread.
/// ioevent_close(3), rules 3.7, 4.3.
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_close(fd: c_int) -> c_int {
    let kept = crate::sys::errno::Kept::new();
    match engine::close(fd) {
        Some(Ok(())) => 0,
        Some(Err(errno)) => {
            drop(kept);
            fail(errno)
        }
        None => {
            drop(kept);
            // SAFETY: the descriptor is the caller's to close.
            unsafe { libc::close(fd) }
        }
    }
}

/// Ends the operations of an attached descriptor that are not finished; returns how many.
///
/// Each gives its event: the bytes that were moved, or -1, and ECANCELED in ioe_errno. One whose time is over has
/// ended, and is not counted. Errors: EINVAL (not attached), EBADF. Any thread. ioevent_cancel(3), rule 4.7.
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_cancel(fd: c_int) -> c_int {
    let all = Which { input: true, output: true, polls: true, user: None };
    answer(|| engine::cancel(fd, all).map(|n| n as c_int))
}

/// Ends some of the operations of an attached descriptor that are not finished; returns how many.
///
/// `what`: IOEVENT_CANCEL_IN (what reads), IOEVENT_CANCEL_OUT (what writes), IOEVENT_CANCEL_POLL, or several of them,
/// or IOEVENT_CANCEL_ALL; with IOEVENT_CANCEL_USER only those that were queued with the pointer `user`. Each gives its
/// event as with ioevent_cancel. Errors: EINVAL (not attached; no direction; unknown bits), EBADF. Any thread.
/// ioevent_cancel(3), rule 4.7.
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_cancel2(fd: c_int, what: c_int, user: *const c_void) -> c_int {
    answer(|| {
        if what & IOEVENT_CANCEL_ALL == 0 || what & !(IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER) != 0 {
            return Err(Errno::EINVAL);
        }
        let which = Which {
            input: what & IOEVENT_CANCEL_IN != 0,
            output: what & IOEVENT_CANCEL_OUT != 0,
            polls: what & IOEVENT_CANCEL_POLL != 0,
            user: (what & IOEVENT_CANCEL_USER != 0).then_some(user as usize),
        };
        engine::cancel(fd, which).map(|n| n as c_int)
    })
}
