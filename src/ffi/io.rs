//! read, write, readv, writev, poll, close, cancel.

#![allow(clippy::missing_safety_doc)] // Each comment says what the pointers must be good for.

use super::constants::{
    IOEVENT_CANCEL_ALL, IOEVENT_CANCEL_IN, IOEVENT_CANCEL_OUT, IOEVENT_CANCEL_POLL, IOEVENT_CANCEL_USER,
};
use super::entry::{
    input, input_otherwise, output, output_begun, output_otherwise, output_shared, output_shared_begun,
};
use super::{answer, answer_slow, fail, lent, queued};
use crate::calls::close;
use crate::calls::lookup::{self, Near};
use crate::calls::start::{self, ByCall};
use crate::calls::submit::{self, Which};
use crate::engine::call::{Readv, Recv, Send, Writev};
use crate::queue::op::Kind;
use crate::state::attachment::{Attachment, Entry, Locked};
use crate::sync::access::Sole;
use crate::sys::{Errno, next};
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
    let call = Recv { kind: Kind::Read, buf: lent(buf), len: nbytes, flags: 0 };
    input(fd, call, |node| read_shared(fd, buf, nbytes, node), || read_otherwise(fd, buf, nbytes))
}

#[inline(never)]
fn read_shared(fd: c_int, buf: *mut c_void, nbytes: usize, node: &'static Attachment) -> ssize_t {
    let call = Recv { kind: Kind::Read, buf: lent(buf), len: nbytes, flags: 0 };
    if start::wait_shared(node, call, ByCall) { queued() } else { read_otherwise(fd, buf, nbytes) }
}

#[inline(never)]
fn read_otherwise(fd: c_int, buf: *mut c_void, nbytes: usize) -> ssize_t {
    input_otherwise(fd, Recv { kind: Kind::Read, buf: lent(buf), len: nbytes, flags: 0 })
}

/// write(2), or posting.
///
/// On an attached descriptor the write is queued: -1 and EIOEVENTQUEUED, or EIOEVENTFULL. `buf` is the library's until
/// the event has been read. A write to a stream is whole if ioe_result is nbytes; a smaller number is a part, and
/// ioe_errno says whether it was ended early (ECANCELED, ETIMEDOUT) or stopped by an error (0), which the next write
/// gives. No SIGPIPE. On a pipe: posts whole struct ioevent, each to be harvested like any other event; returns the
/// bytes of those that had a place. Errors there: EIOEVENTFULL (none had), EINVAL (not whole structs), ENOMEM. On
/// anything else: write(2). Any thread. ioevent_read(3), rules 2.4, 3.5.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_write(fd: c_int, buf: *const c_void, nbytes: usize) -> ssize_t {
    output(
        fd,
        Send { kind: Kind::Write, buf: lent(buf), len: nbytes, flags: 0 },
        |sole, node, sent| write_begun(sole, node, buf, nbytes, sent),
        |node| write_shared(fd, buf, nbytes, node),
        || write_otherwise(fd, buf, nbytes),
    )
}

#[cold]
#[inline(never)]
fn write_begun(
    sole: Sole,
    node: &'static Attachment,
    buf: *const c_void,
    nbytes: usize,
    sent: isize,
) -> ssize_t {
    output_begun(sole, node, Send { kind: Kind::Write, buf: lent(buf), len: nbytes, flags: 0 }, sent)
}

#[inline(never)]
fn write_otherwise(fd: c_int, buf: *const c_void, nbytes: usize) -> ssize_t {
    output_otherwise(fd, Send { kind: Kind::Write, buf: lent(buf), len: nbytes, flags: 0 })
}

#[inline(never)]
fn write_shared(fd: c_int, buf: *const c_void, nbytes: usize, node: &'static Attachment) -> ssize_t {
    #[cold]
    #[inline(never)]
    fn begun(attachment: Locked, buf: *const c_void, nbytes: usize, sent: isize) -> ssize_t {
        let call = Send { kind: Kind::Write, buf: lent(buf), len: nbytes, flags: 0 };
        output_shared_begun(attachment, call, sent)
    }
    #[cold]
    #[inline(never)]
    fn unlocked(attachment: Option<Locked>, fd: c_int, buf: *const c_void, nbytes: usize) -> ssize_t {
        drop(attachment);
        write_otherwise(fd, buf, nbytes)
    }
    output_shared(
        node,
        Send { kind: Kind::Write, buf: lent(buf), len: nbytes, flags: 0 },
        |attachment, sent| begun(attachment, buf, nbytes, sent),
        |attachment| unlocked(attachment, fd, buf, nbytes),
    )
}

/// readv(2); queued on an attached descriptor; harvests on a pipe. The array and the buffers are the library's until
/// the event has been read. Any thread. ioevent_read(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_readv(fd: c_int, iov: *const iovec, iovcnt: c_int) -> ssize_t {
    let call = Readv { iov: lent(iov), count: iovcnt as u32 };
    input(fd, call, |_| readv_otherwise(fd, iov, iovcnt), || readv_otherwise(fd, iov, iovcnt))
}

#[inline(never)]
fn readv_otherwise(fd: c_int, iov: *const iovec, iovcnt: c_int) -> ssize_t {
    input_otherwise(fd, Readv { iov: lent(iov), count: iovcnt as u32 })
}

/// writev(2); queued on an attached descriptor; posts on a pipe. The array and the buffers are the library's until the
/// event has been read. Any thread. ioevent_read(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_writev(fd: c_int, iov: *const iovec, iovcnt: c_int) -> ssize_t {
    output(
        fd,
        Writev { iov: lent(iov), count: iovcnt },
        |sole, node, sent| writev_begun(sole, node, iov, iovcnt, sent),
        |_| writev_otherwise(fd, iov, iovcnt),
        || writev_otherwise(fd, iov, iovcnt),
    )
}

#[cold]
#[inline(never)]
fn writev_begun(
    sole: Sole,
    node: &'static Attachment,
    iov: *const iovec,
    iovcnt: c_int,
    sent: isize,
) -> ssize_t {
    output_begun(sole, node, Writev { iov: lent(iov), count: iovcnt }, sent)
}

#[inline(never)]
fn writev_otherwise(fd: c_int, iov: *const iovec, iovcnt: c_int) -> ssize_t {
    output_otherwise(fd, Writev { iov: lent(iov), count: iovcnt })
}

/// Queues "tell me when it is ready" on an attached descriptor: -1 and EIOEVENTQUEUED.
///
/// The event's ioe_result is what poll(2) gives as revents: those of `events` that hold, POLLERR, POLLHUP, POLLNVAL. It
/// takes no buffer and stands outside the order of reads and writes. Errors: EIOEVENTFULL, EINVAL (not attached),
/// EBADF. Any thread. ioevent_poll(3), rule 2.10.
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_poll(fd: c_int, events: c_short) -> c_int {
    match lookup::near(fd) {
        Near::Attached(node, pipe) if start::poll_sole((node, pipe), events, ByCall) => queued(),
        _ => poll_slow(fd, events),
    }
}

#[cold]
#[inline(never)]
fn poll_slow(fd: c_int, events: c_short) -> c_int {
    match lookup::get(fd) {
        Entry::Attachment(node) => {
            answer_slow(start::poll(node, events, ByCall), || fail(crate::sys::fd::unfit(fd)))
        }
        _ => fail(crate::sys::fd::unfit(fd)),
    }
}

/// close(2), for attached descriptors and pipes too.
///
/// Ends the outstanding operations of an attached descriptor; each still gives its event (the bytes that were moved, or
/// -1, and ECANCELED). Ends all operations of a pipe, whose events are gone with it; when it returns, no buffer is in
/// use and every descriptor is detached; threads that wait in a harvest get EBADF. Errors: as close(2). Any thread.
/// ioevent_close(3), rules 3.7, 4.3.
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_close(fd: c_int) -> c_int {
    if lookup::is_nothing(fd) {
        // SAFETY: the descriptor is the caller's to close.
        return unsafe { next::close(fd) };
    }
    close_slow(fd)
}

#[inline(never)]
fn close_slow(fd: c_int) -> c_int {
    let kept = crate::sys::errno::Kept::new();
    match close::close_number(fd) {
        Some(Ok(())) => 0,
        Some(Err(errno)) => {
            drop(kept);
            fail(errno)
        }
        None => {
            drop(kept);
            // SAFETY: the descriptor is the caller's to close.
            unsafe { next::close(fd) }
        }
    }
}

/// Ends the operations of an attached descriptor that are not finished; returns how many.
///
/// Each gives its event: the bytes that were moved, or -1, and ECANCELED in ioe_errno. One whose time is over has
/// ended, and is not counted. Errors: EINVAL (not attached), EBADF. Any thread. ioevent_cancel(3), rule 4.7.
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_cancel(fd: c_int) -> c_int {
    let all = Which { input: true, output: true, polls: true, user: None, marks: 0 };
    answer(|| submit::cancel(fd, all).map(|n| n as c_int))
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
            marks: 0,
        };
        submit::cancel(fd, which).map(|n| n as c_int)
    })
}
