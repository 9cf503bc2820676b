//! ioevent_submit.

#![allow(clippy::missing_safety_doc)] // Each comment says what the pointers must be good for.

use super::constants::*;
use super::{answer, lent, pipe};
use crate::calls::answer::Answer;
use crate::calls::fast_path::{Way, Words};
use crate::calls::lookup::{self, Near};
use crate::calls::start::{self, Fast, FastShared, Submitted, Waited};
use crate::calls::submit;
use crate::engine::call::{Call, Readv, Recv, Recvmsg, Send, Sendmsg, Writev};
use crate::queue::op::{Kind, LENGTH_BY_POINTER, Request, address_length};
use crate::state::attachment::{Attachment, Entry, Locked};
use crate::state::pipe::Pipe;
use crate::sync::access::Sole;
use crate::sys::{Errno, Result, UserPtr, fd};
use core::ffi::{c_int, c_longlong, c_ulong, c_ushort, c_void};
use libc::{sockaddr, socklen_t, timespec};

/// One operation for ioevent_submit. What an operation does not use is ignored.
/// cbindgen:field-names=[ioo_kind, ioo_flags, ioo_fd, ioo_user, ioo_buf, ioo_len, ioo_addr, ioo_addrlen, ioo_offset, ioo_offset2, ioo_fd2, ioo_arg, ioo_timeout, ioo_zero]
#[cfg(have_timespec)]
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Operation {
    /// IOEVENT_OP_READ, IOEVENT_OP_WRITE, ...
    pub kind: c_ushort,
    /// Must be 0.
    pub flags: c_ushort,
    /// The descriptor; sendfile, splice: the destination; timer: the pipe.
    pub fd: c_int,
    /// The user pointer of the event.
    pub user: *mut c_void,
    /// Buffer, iovec array, msghdr or siginfo_t.
    pub buf: *mut c_void,
    /// Bytes, or iovecs.
    pub len: usize,
    /// accept, connect, recvfrom, sendto.
    pub addr: *mut sockaddr,
    /// The address's length: read when queued, written when complete.
    pub addrlen: *mut socklen_t,
    /// pread and its like; sendfile and splice: in the source; -1: the file's own.
    pub offset: c_longlong,
    /// splice: in the destination; -1: the file's own.
    pub offset2: c_longlong,
    /// sendfile, splice: the source.
    pub fd2: c_int,
    /// Flags of recv, send, accept4, splice; events of poll; how of shutdown; options of waitid.
    pub arg: c_int,
    /// 0: the descriptor's; timer: when it expires, from now.
    pub timeout: timespec,
    /// Must be 0.
    pub zero: [c_ulong; 4],
}

const _: () = assert!(size_of::<Operation>() == 120 && align_of::<Operation>() == 8);

/// Queues operations, each with a user pointer and a timeout of its own.
///
/// Returns how many were taken, from the front; each of them ends in an event. If none was: -1, and errno says why the
/// first was not: EIOEVENTFULL; EINVAL (unknown kind; flags or ioo_zero not 0; no valid timeout; not attached, or for a
/// timer not a pipe); EBADF; EFAULT; ENOMEM. The array may be used again when the call returns; what it points to is
/// the library's until the events have been read. Any thread. ioevent_submit(3), rule 2.9.
#[cfg(have_timespec)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_submit(ops: *const Operation, nops: c_int) -> c_int {
    if nops == 1 {
        // SAFETY: passed on to the caller.
        if let Some(taken) = unsafe { submit_plain(ops) } {
            return taken;
        }
    }
    // SAFETY: passed on to the caller.
    unsafe { submit_all(ops, nops) }
}

/// The same for one plain read or write, as most are. `None`: it is none, and nothing was done.
///
/// # Safety
///
/// As for `ioevent_submit` with one operation.
#[inline(always)]
unsafe fn submit_plain(op: *const Operation) -> Option<c_int> {
    // SAFETY: the caller gives a struct, or NULL.
    let op = unsafe { op.as_ref() }?;
    if !op.is_plain() {
        return None;
    }
    let Near::Attached(node, pipe) = lookup::near(op.fd) else { return None };
    let at = (node, pipe);
    if op.kind == IOEVENT_OP_READ {
        let call = Recv { kind: Kind::Read, buf: lent(op.buf), len: op.len, flags: 0 };
        if let Waited::Queued = start::wait_sole(at, call, Plain { op }) {
            return Some(1);
        }
    } else if op.kind == IOEVENT_OP_WRITE {
        // SAFETY: passed on to the caller.
        return Some(unsafe { write(op, at) });
    }
    // SAFETY: passed on to the caller.
    Some(unsafe { submit_shared(node, op) })
}

/// What a plain operation says beside the call. It is read when it is needed: to keep it over a system call costs more.
#[derive(Clone, Copy)]
struct Plain<'a> {
    op: &'a Operation,
}

impl Words for Plain<'_> {
    const WAY: Way = Way::Submit;
    #[inline(always)]
    fn user(&self) -> Option<usize> {
        Some(self.op.user as usize)
    }
    #[inline(always)]
    fn timeout(&self) -> u64 {
        0
    }
}

/// A plain write.
///
/// # Safety
///
/// As for `ioevent_submit`.
#[inline(never)]
unsafe fn write(op: &Operation, at: (&'static Attachment, &'static Pipe)) -> c_int {
    let call = Send { kind: Kind::Write, buf: lent(op.buf), len: op.len, flags: 0 };
    match start::output_sole(at, call, Plain { op }) {
        Fast::Queued => 1,
        Fast::Begun(sole, sent) => write_begun(sole, at.0, op, sent),
        // SAFETY: passed on to the caller.
        _ => unsafe { submit_shared(at.0, op) },
    }
}

impl Operation {
    /// Whether there is nothing about it but what each operation has. Its timespec is of two words.
    #[inline(always)]
    fn is_plain(&self) -> bool {
        let times = (self.timeout.tv_sec | self.timeout.tv_nsec) as u64;
        self.zero == [0; 4] && times | u64::from(self.flags) == 0
    }
}

/// A plain operation by a thread that locks.
///
/// # Safety
///
/// As for `ioevent_submit`.
#[inline(never)]
unsafe fn submit_shared(node: &'static Attachment, op: &Operation) -> c_int {
    #[inline(never)]
    fn first(attachment: Locked) -> c_int {
        start::announce_shared(attachment);
        // As in `entry::output_shared`.
        core::hint::black_box(1)
    }
    /// # Safety
    ///
    /// As for `ioevent_submit`.
    #[cold]
    #[inline(never)]
    unsafe fn unlocked(op: &Operation, attachment: Option<Locked>) -> c_int {
        drop(attachment);
        // SAFETY: passed on to the caller.
        unsafe { submit_all(op, 1) }
    }
    #[cold]
    #[inline(never)]
    fn begun(attachment: Locked, op: &Operation, sent: isize) -> c_int {
        let words = Submitted { user: op.user as usize, timeout: 0 };
        let call = Send { kind: Kind::Write, buf: lent(op.buf), len: op.len, flags: 0 };
        answer(|| taken(op.fd, start::output_shared_begun(attachment, call, words, sent)).map(|()| 1))
    }
    let words = Submitted { user: op.user as usize, timeout: 0 };
    let (buf, len) = (lent(op.buf), op.len);
    if op.kind == IOEVENT_OP_READ {
        if start::wait_shared(node, Recv { kind: Kind::Read, buf, len, flags: 0 }, words) {
            return 1;
        }
    } else if op.kind == IOEVENT_OP_WRITE {
        let call = Send { kind: Kind::Write, buf, len, flags: 0 };
        match start::output_shared(node, call, words) {
            FastShared::Queued => return 1,
            FastShared::First(attachment) => return first(attachment),
            FastShared::Begun(attachment, sent) => return begun(attachment, op, sent),
            // SAFETY: passed on to the caller.
            FastShared::Not(attachment) => return unsafe { unlocked(op, attachment) },
        }
    }
    // SAFETY: passed on to the caller.
    unsafe { submit_all(op, 1) }
}

/// Goes on with a write that was begun.
#[cold]
#[inline(never)]
fn write_begun(sole: Sole, node: &'static Attachment, op: &Operation, sent: isize) -> c_int {
    let words = Submitted { user: op.user as usize, timeout: 0 };
    let call = Send { kind: Kind::Write, buf: lent(op.buf), len: op.len, flags: 0 };
    answer(|| taken(op.fd, start::output_begun(sole, node, call, words, sent)).map(|()| 1))
}

/// # Safety
///
/// As for `ioevent_submit`.
#[inline(never)]
unsafe fn submit_all(ops: *const Operation, nops: c_int) -> c_int {
    answer(|| {
        let count = usize::try_from(nops).map_err(|_| Errno::EINVAL)?;
        if count == 0 {
            return Ok(0);
        }
        if ops.is_null() {
            return Err(Errno::EFAULT);
        }
        // SAFETY: the caller gives `nops` structs.
        let ops = unsafe { core::slice::from_raw_parts(ops, count) };
        for (taken, op) in ops.iter().enumerate() {
            // SAFETY: the caller gives structs whose pointers are good for what the kinds need.
            match unsafe { submit(op) } {
                Ok(()) => {}
                Err(errno) if taken == 0 => return Err(errno),
                Err(_) => return Ok(taken as c_int),
            }
        }
        Ok(nops)
    })
}

/// # Safety
///
/// The pointers are good for what the kind needs.
#[inline(always)]
unsafe fn submit(op: &Operation) -> Result<()> {
    if op.flags != 0 || op.zero != [0; 4] {
        return Err(Errno::EINVAL);
    }
    let timeout = pipe::nanoseconds(&op.timeout)?;
    let Entry::Attachment(node) = lookup::get(op.fd) else {
        // SAFETY: passed on to the caller.
        return unsafe { submit_slow(op, timeout) };
    };
    let Some(pipe) = node.read().attached_pipe() else { return Err(fd::unfit(op.fd)) };
    let at = (node, pipe);
    let words = Submitted { user: op.user as usize, timeout };
    let (buf, len, flags) = (lent(op.buf), op.len, op.arg);
    let count = c_int::try_from(len).unwrap_or(c_int::MAX);
    let waited = match op.kind {
        IOEVENT_OP_READ => start::wait_sole(at, Recv { kind: Kind::Read, buf, len, flags: 0 }, words),
        IOEVENT_OP_RECV => start::wait_sole(at, Recv { kind: Kind::Recv, buf, len, flags }, words),
        IOEVENT_OP_READV => start::wait_sole(at, Readv { iov: buf, count: count as u32 }, words),
        IOEVENT_OP_RECVMSG => start::wait_sole(at, Recvmsg { message: buf, flags }, words),
        IOEVENT_OP_WRITE => return output(at, op, Send { kind: Kind::Write, buf, len, flags: 0 }, words),
        IOEVENT_OP_SEND => return output(at, op, Send { kind: Kind::Send, buf, len, flags }, words),
        IOEVENT_OP_WRITEV => return output(at, op, Writev { iov: buf, count }, words),
        IOEVENT_OP_SENDMSG => return output(at, op, Sendmsg { message: buf, flags }, words),
        IOEVENT_OP_POLL if start::poll_sole(at, op.arg as i16, words) => Waited::Queued,
        IOEVENT_OP_POLL => Waited::Not,
        // SAFETY: passed on to the caller.
        _ => return unsafe { submit_slow(op, timeout) },
    };
    match waited {
        Waited::Queued => Ok(()),
        _ => submit_otherwise(node, op, timeout),
    }
}

#[inline(always)]
fn output<C: Call>(
    at: (&'static Attachment, &'static Pipe),
    op: &Operation,
    call: C,
    words: Submitted,
) -> Result<()> {
    match start::output_sole(at, call, words) {
        Fast::Queued => Ok(()),
        Fast::Begun(sole, sent) => {
            #[cold]
            #[inline(never)]
            fn begun<C: Call>(
                sole: Sole,
                node: &'static Attachment,
                call: C,
                words: Submitted,
                sent: isize,
            ) -> Result<()> {
                taken(-1, start::output_begun(sole, node, call, words, sent))
            }
            begun(sole, at.0, call, words, sent)
        }
        _ => submit_otherwise(at.0, op, words.timeout),
    }
}

/// An operation on an attached descriptor by all but the shortest way.
#[inline(never)]
fn submit_otherwise(node: &'static Attachment, op: &Operation, timeout: u64) -> Result<()> {
    let words = Submitted { user: op.user as usize, timeout };
    let (fd, buf, len, flags) = (op.fd, lent(op.buf), op.len, op.arg);
    let count = c_int::try_from(len).unwrap_or(c_int::MAX);
    taken(
        fd,
        match op.kind {
            IOEVENT_OP_READ => start::input(node, Recv { kind: Kind::Read, buf, len, flags: 0 }, words),
            IOEVENT_OP_RECV => start::input(node, Recv { kind: Kind::Recv, buf, len, flags }, words),
            IOEVENT_OP_READV => start::input(node, Readv { iov: buf, count: count as u32 }, words),
            IOEVENT_OP_RECVMSG => start::input(node, Recvmsg { message: buf, flags }, words),
            IOEVENT_OP_WRITE => start::output(node, Send { kind: Kind::Write, buf, len, flags: 0 }, words),
            IOEVENT_OP_SEND => start::output(node, Send { kind: Kind::Send, buf, len, flags }, words),
            IOEVENT_OP_WRITEV => start::output(node, Writev { iov: buf, count }, words),
            IOEVENT_OP_SENDMSG => start::output(node, Sendmsg { message: buf, flags }, words),
            _ => start::poll(node, op.arg as i16, words),
        },
    )
}

/// Whether an operation was taken, given what the slow path has made of it.
fn taken(fd: c_int, answer: Answer) -> Result<()> {
    match answer {
        Answer::Queued | Answer::Done(_) | Answer::Slow(Ok(_)) => Ok(()),
        Answer::Slow(Err(errno)) | Answer::Refused(errno) => Err(errno),
        Answer::Libcs => Err(fd::unfit(fd)),
    }
}

/// # Safety
///
/// As for `submit`.
#[inline(never)]
unsafe fn submit_slow(op: &Operation, timeout: u64) -> Result<()> {
    if op.kind == IOEVENT_OP_TIMER {
        return submit::submit_timer(op.fd, op.user as usize, timeout);
    }
    let kind = kind(op.kind)?;
    let mut request = Request {
        kind,
        buf: lent(op.buf),
        len: op.len,
        addr: lent(op.addr),
        addrlen: lent(op.addrlen),
        arg: op.arg,
        user: Some(op.user as usize),
        timeout,
        ..Request::NOTHING
    };
    match op.kind {
        IOEVENT_OP_PREAD | IOEVENT_OP_PWRITE | IOEVENT_OP_PREADV | IOEVENT_OP_PWRITEV => {
            request.addr = at(op.offset)?;
        }
        IOEVENT_OP_SENDFILE => request.addr = at(op.offset)?,
        IOEVENT_OP_SPLICE => {
            request.addr = at(op.offset)?;
            request.addrlen = at(op.offset2)?;
        }
        IOEVENT_OP_RECV | IOEVENT_OP_SEND => {
            request.addr = UserPtr::NULL;
            request.addrlen = UserPtr::NULL;
        }
        // SAFETY: the caller gives a length or NULL.
        IOEVENT_OP_CONNECT | IOEVENT_OP_SENDTO => match unsafe { op.addrlen.as_ref() } {
            Some(length) => request.addrlen = UserPtr::number(*length as usize),
            None => request.addrlen = UserPtr::NULL,
        },
        IOEVENT_OP_ACCEPT | IOEVENT_OP_ACCEPT4 | IOEVENT_OP_RECVFROM => {
            if op.kind == IOEVENT_OP_ACCEPT {
                request.arg = 0;
            }
            if op.addr.is_null() {
                request.addrlen = UserPtr::NULL;
            } else {
                // SAFETY: the caller gives a length or NULL.
                let length = unsafe { op.addrlen.as_ref() };
                request.length = length.map_or(LENGTH_BY_POINTER, |length| address_length(*length));
            }
        }
        IOEVENT_OP_POLL => request.arg = c_int::from(op.arg as i16),
        _ => {}
    }
    let queued = match kind {
        Kind::Sendfile | Kind::Splice => submit::submit_transfer(op.fd, op.fd2, request, Way::Submit),
        _ => submit::submit(op.fd, &request, Way::Submit),
    };
    taken(op.fd, queued)
}

/// A place in a file; -1 is the file's own.
fn at(offset: c_longlong) -> Result<UserPtr> {
    if offset < -1 { Err(Errno::EINVAL) } else { Ok(UserPtr::number(offset as usize)) }
}

fn kind(number: c_ushort) -> Result<Kind> {
    Ok(match number {
        IOEVENT_OP_READ => Kind::Read,
        IOEVENT_OP_WRITE => Kind::Write,
        IOEVENT_OP_READV => Kind::Readv,
        IOEVENT_OP_WRITEV => Kind::Writev,
        IOEVENT_OP_PREAD => Kind::Pread,
        IOEVENT_OP_PWRITE => Kind::Pwrite,
        IOEVENT_OP_PREADV => Kind::Preadv,
        IOEVENT_OP_PWRITEV => Kind::Pwritev,
        IOEVENT_OP_RECV | IOEVENT_OP_RECVFROM => Kind::Recv,
        IOEVENT_OP_RECVMSG => Kind::Recvmsg,
        IOEVENT_OP_SEND | IOEVENT_OP_SENDTO => Kind::Send,
        IOEVENT_OP_SENDMSG => Kind::Sendmsg,
        IOEVENT_OP_ACCEPT | IOEVENT_OP_ACCEPT4 => Kind::Accept,
        IOEVENT_OP_CONNECT => Kind::Connect,
        IOEVENT_OP_SENDFILE => Kind::Sendfile,
        IOEVENT_OP_SPLICE => Kind::Splice,
        IOEVENT_OP_FSYNC => Kind::Fsync,
        IOEVENT_OP_FDATASYNC => Kind::Fdatasync,
        IOEVENT_OP_WAITID => Kind::Waitid,
        IOEVENT_OP_SHUTDOWN => Kind::Shutdown,
        IOEVENT_OP_POLL => Kind::Poll,
        _ => return Err(Errno::EINVAL),
    })
}
