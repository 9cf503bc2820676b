//! pread and its like, sendfile, splice, fsync, waitid, shutdown, dup2.

#![allow(clippy::missing_safety_doc)] // Each comment says what the pointers must be good for.

use super::{answer, fail, lent, queue_or, transfer_or};
use crate::calls::close;
use crate::queue::op::{BY_POINTER, Kind, Request};
use crate::sys::{Errno, UserPtr};
use core::ffi::{c_int, c_uint, c_void};
use libc::{id_t, idtype_t, iovec, off_t, siginfo_t, ssize_t};

/// pread(2); queued on an attached descriptor, outside the order of reads. `buf` is the library's until the event has
/// been read. Errors beside those of an operation: EINVAL (a negative offset). Any thread. ioevent_pread(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_pread(fd: c_int, buf: *mut c_void, nbytes: usize, offset: off_t) -> ssize_t {
    let request =
        Request { kind: Kind::Pread, buf: lent(buf), len: nbytes, addr: at(offset), ..Request::NOTHING };
    // SAFETY: as promised by the caller.
    queue_or(fd, request, || unsafe { libc::pread(fd, buf, nbytes, offset) })
}

/// pwrite(2); queued on an attached descriptor, outside the order of writes. `buf` is the library's until the event has
/// been read. Errors beside those of an operation: EINVAL (a negative offset). Any thread. ioevent_pread(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_pwrite(
    fd: c_int,
    buf: *const c_void,
    nbytes: usize,
    offset: off_t,
) -> ssize_t {
    let request =
        Request { kind: Kind::Pwrite, buf: lent(buf), len: nbytes, addr: at(offset), ..Request::NOTHING };
    // SAFETY: as promised by the caller.
    queue_or(fd, request, || unsafe { libc::pwrite(fd, buf, nbytes, offset) })
}

/// preadv(2); queued on an attached descriptor, outside the order of reads. The array and the buffers are the library's
/// until the event has been read. Errors beside those of an operation: EINVAL (a negative offset). Any thread.
/// ioevent_pread(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_preadv(
    fd: c_int,
    iov: *const iovec,
    iovcnt: c_int,
    offset: off_t,
) -> ssize_t {
    let len = iovcnt as u32 as usize;
    let request = Request { kind: Kind::Preadv, buf: lent(iov), len, addr: at(offset), ..Request::NOTHING };
    // SAFETY: as promised by the caller.
    queue_or(fd, request, || unsafe { libc::preadv(fd, iov, iovcnt, offset) })
}

/// pwritev(2); queued on an attached descriptor, outside the order of writes. The array and the buffers are the
/// library's until the event has been read. Errors beside those of an operation: EINVAL (a negative offset). Any
/// thread. ioevent_pread(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_pwritev(
    fd: c_int,
    iov: *const iovec,
    iovcnt: c_int,
    offset: off_t,
) -> ssize_t {
    let len = iovcnt as u32 as usize;
    let request = Request { kind: Kind::Pwritev, buf: lent(iov), len, addr: at(offset), ..Request::NOTHING };
    // SAFETY: as promised by the caller.
    queue_or(fd, request, || unsafe { libc::pwritev(fd, iov, iovcnt, offset) })
}

/// A place in a file as an operation has it. -1 stands for the file's own there, but not in these calls.
fn at(offset: off_t) -> UserPtr {
    UserPtr::number(if offset == -1 { off_t::MIN } else { offset } as usize)
}

/// sendfile(2). Queued if `out_fd` is attached, in the order of its writes; else if `in_fd` is, in the order of its
/// reads.
///
/// `offset` is the library's until the event has been read. To a socket it sends all; into a pipe it moves what fits,
/// at least a byte. While it waits the library holds the open file of the descriptor that it does not belong to. No
/// SIGPIPE. Any thread. ioevent_sendfile(3), rule 2.4.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_sendfile(
    out_fd: c_int,
    in_fd: c_int,
    offset: *mut off_t,
    count: usize,
) -> ssize_t {
    let request = Request {
        kind: Kind::Sendfile,
        addr: lent(offset),
        len: count,
        flags: BY_POINTER,
        ..Request::NOTHING
    };
    // SAFETY: as promised by the caller.
    transfer_or(out_fd, in_fd, request, || unsafe { libc::sendfile(out_fd, in_fd, offset, count) })
}

/// splice(2). Queued if `fd_out` is attached, in the order of its writes; else if `fd_in` is, in the order of its
/// reads.
///
/// The offsets are the library's until the event has been read. It moves what is there and fits, at least a byte.
/// SPLICE_F_NONBLOCK makes no difference to an operation. No SIGPIPE. Any thread. ioevent_sendfile(3), rule 2.4.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_splice(
    fd_in: c_int,
    off_in: *mut off_t,
    fd_out: c_int,
    off_out: *mut off_t,
    len: usize,
    flags: c_uint,
) -> ssize_t {
    let request = Request {
        kind: Kind::Splice,
        addr: lent(off_in),
        addrlen: lent(off_out),
        len,
        arg: flags as c_int,
        flags: BY_POINTER,
        ..Request::NOTHING
    };
    // SAFETY: as promised by the caller.
    transfer_or(fd_out, fd_in, request, || unsafe {
        libc::splice(fd_in, off_in, fd_out, off_out, len, flags)
    })
}

/// fsync(2); queued on an attached descriptor. It covers the writes that were queued there before it. Any thread.
/// ioevent_fsync(3), rule 2.5.
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_fsync(fd: c_int) -> c_int {
    let request = Request { kind: Kind::Fsync, ..Request::NOTHING };
    // SAFETY: no pointers.
    queue_or(fd, request, || unsafe { libc::fsync(fd) })
}

/// fdatasync(2); queued on an attached descriptor, like ioevent_fsync. Any thread. ioevent_fsync(3), rule 2.5.
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_fdatasync(fd: c_int) -> c_int {
    let request = Request { kind: Kind::Fdatasync, ..Request::NOTHING };
    // SAFETY: no pointers.
    queue_or(fd, request, || unsafe { libc::fdatasync(fd) })
}

/// shutdown(2); queued on an attached descriptor. SHUT_WR takes its turn after the writes that were queued before it;
/// SHUT_RD and SHUT_RDWR are done at once. Any thread. ioevent_shutdown(3), rule 2.5.
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_shutdown(fd: c_int, how: c_int) -> c_int {
    let request = Request { kind: Kind::Shutdown, arg: how, ..Request::NOTHING };
    // SAFETY: no pointers.
    queue_or(fd, request, || unsafe { libc::shutdown(fd, how) })
}

/// waitid(2); queued if `idtype` is P_PIDFD and `id` an attached pidfd.
///
/// `options` must have WEXITED then, and may have WNOHANG or WNOWAIT, else EINVAL. `infop` is the library's until the
/// event has been read. Any thread. ioevent_waitid(3), rule 2.4.
#[cfg(have_waitid)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_waitid(
    idtype: idtype_t,
    id: id_t,
    infop: *mut siginfo_t,
    options: c_int,
) -> c_int {
    // SAFETY: as promised by the caller.
    let libc = || unsafe { libc::waitid(idtype, id, infop, options) };
    if idtype != libc::P_PIDFD {
        return libc();
    }
    queue_or(
        id as c_int,
        Request { kind: Kind::Waitid, buf: lent(infop), arg: options, ..Request::NOTHING },
        libc,
    )
}

/// dup2(2). An attached descriptor, or a pipe, that is replaced is closed as by ioevent_close. Any thread.
/// ioevent_close(3), rule 4.4.
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_dup2(oldfd: c_int, newfd: c_int) -> c_int {
    if let Err(errno) = replace(oldfd, newfd) {
        return fail(errno);
    }
    // SAFETY: no pointers; the caller wants it replaced.
    unsafe { libc::dup2(oldfd, newfd) }
}

/// dup3(2). An attached descriptor, or a pipe, that is replaced is closed as by ioevent_close. Any thread.
/// ioevent_close(3), rule 4.4.
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_dup3(oldfd: c_int, newfd: c_int, flags: c_int) -> c_int {
    if flags & !libc::O_CLOEXEC != 0 || oldfd == newfd {
        return fail(Errno::EINVAL);
    }
    if let Err(errno) = replace(oldfd, newfd) {
        return fail(errno);
    }
    // SAFETY: no pointers; the caller wants it replaced.
    unsafe { libc::dup3(oldfd, newfd, flags) }
}

fn replace(oldfd: c_int, newfd: c_int) -> Result<(), Errno> {
    let done: c_int = answer(|| close::replace(oldfd, newfd).map(|()| 0));
    if done == 0 { Ok(()) } else { Err(Errno(crate::sys::errno::get())) }
}
