//! pread and its like, sendfile, splice, fsync, waitid, shutdown, dup2.

#![allow(clippy::missing_safety_doc)] // Each comment says what the pointers must be good for.

use super::entry::queue;
use super::{answer, answer_slow, fail, lent, libcs};
use crate::calls::fast_path::Way;
use crate::calls::{close, lookup, submit};
use crate::queue::op::{BY_POINTER, Kind, Request};
use crate::sys::{Errno, UserPtr, next};
use core::ffi::{c_int, c_uint, c_void};
use libc::{id_t, idtype_t, iovec, off_t, siginfo_t, ssize_t};

/// pread(2); queued on an attached descriptor, outside the order of reads. `buf` is the library's until the event has
/// been read. Errors beside those of an operation: EINVAL (a negative offset). Any thread. ioevent_pread(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_pread(fd: c_int, buf: *mut c_void, nbytes: usize, offset: off_t) -> ssize_t {
    if lookup::is_nothing(fd) {
        // SAFETY: as promised by the caller.
        return unsafe { next::pread(fd, buf, nbytes, offset) };
    }
    queue(fd, Kind::Pread, lent(buf), nbytes, at(offset), 0)
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
    if lookup::is_nothing(fd) {
        // SAFETY: as promised by the caller.
        return unsafe { next::pwrite(fd, buf, nbytes, offset) };
    }
    queue(fd, Kind::Pwrite, lent(buf), nbytes, at(offset), 0)
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
    if lookup::is_nothing(fd) {
        // SAFETY: as promised by the caller.
        return unsafe { next::preadv(fd, iov, iovcnt, offset) };
    }
    queue(fd, Kind::Preadv, lent(iov), iovcnt as u32 as usize, at(offset), 0)
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
    if lookup::is_nothing(fd) {
        // SAFETY: as promised by the caller.
        return unsafe { next::pwritev(fd, iov, iovcnt, offset) };
    }
    queue(fd, Kind::Pwritev, lent(iov), iovcnt as u32 as usize, at(offset), 0)
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
    if lookup::is_nothing(out_fd) && lookup::is_nothing(in_fd) {
        // SAFETY: as promised by the caller.
        return unsafe { next::sendfile(out_fd, in_fd, offset, count) };
    }
    sendfile_otherwise(out_fd, in_fd, offset, count)
}

#[inline(never)]
fn sendfile_otherwise(out_fd: c_int, in_fd: c_int, offset: *mut off_t, count: usize) -> ssize_t {
    let request = Request {
        kind: Kind::Sendfile,
        addr: lent(offset),
        len: count,
        flags: BY_POINTER,
        ..Request::NOTHING
    };
    // SAFETY: as promised by the caller of `ioevent_sendfile`.
    let call = || unsafe { next::sendfile(out_fd, in_fd, offset, count) };
    let libcs = || libcs::watch(out_fd, Kind::Sendfile, call);
    answer_slow(submit::submit_transfer(out_fd, in_fd, request, Way::Call), libcs)
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
    if lookup::is_nothing(fd_in) && lookup::is_nothing(fd_out) {
        // SAFETY: as promised by the caller.
        return unsafe { next::splice(fd_in, off_in, fd_out, off_out, len, flags) };
    }
    splice_otherwise(fd_in, off_in, fd_out, off_out, len, flags)
}

#[inline(never)]
fn splice_otherwise(
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
    // SAFETY: as promised by the caller of `ioevent_splice`.
    let call = || unsafe { next::splice(fd_in, off_in, fd_out, off_out, len, flags) };
    let libcs = || libcs::watch(fd_in, Kind::Splice, call);
    answer_slow(submit::submit_transfer(fd_out, fd_in, request, Way::Call), libcs)
}

/// fsync(2); queued on an attached descriptor. It covers the writes that were queued there before it. Any thread.
/// ioevent_fsync(3), rule 2.5.
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_fsync(fd: c_int) -> c_int {
    if lookup::is_nothing(fd) {
        // SAFETY: as promised by the caller.
        return unsafe { next::fsync(fd) };
    }
    queue(fd, Kind::Fsync, UserPtr::NULL, 0, UserPtr::NULL, 0) as c_int
}

/// fdatasync(2); queued on an attached descriptor, like ioevent_fsync. Any thread. ioevent_fsync(3), rule 2.5.
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_fdatasync(fd: c_int) -> c_int {
    if lookup::is_nothing(fd) {
        // SAFETY: as promised by the caller.
        return unsafe { next::fdatasync(fd) };
    }
    queue(fd, Kind::Fdatasync, UserPtr::NULL, 0, UserPtr::NULL, 0) as c_int
}

/// shutdown(2); queued on an attached descriptor. SHUT_WR takes its turn after the writes that were queued before it;
/// SHUT_RD and SHUT_RDWR are done at once. Any thread. ioevent_shutdown(3), rule 2.5.
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_shutdown(fd: c_int, how: c_int) -> c_int {
    if lookup::is_nothing(fd) {
        // SAFETY: as promised by the caller.
        return unsafe { next::shutdown(fd, how) };
    }
    queue(fd, Kind::Shutdown, UserPtr::NULL, 0, UserPtr::NULL, how) as c_int
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
    if idtype != libc::P_PIDFD || lookup::is_nothing(id as c_int) {
        // SAFETY: as promised by the caller.
        return unsafe { next::waitid(idtype, id, infop, options) };
    }
    queue(id as c_int, Kind::Waitid, lent(infop), 0, UserPtr::NULL, options) as c_int
}

/// dup2(2). An attached descriptor, or a pipe, that is replaced is closed as by ioevent_close. Any thread.
/// ioevent_close(3), rule 4.4.
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_dup2(oldfd: c_int, newfd: c_int) -> c_int {
    if lookup::is_nothing(newfd) {
        // SAFETY: no pointers; the caller wants it replaced.
        return unsafe { next::dup2(oldfd, newfd) };
    }
    dup2_otherwise(oldfd, newfd)
}

#[inline(never)]
fn dup2_otherwise(oldfd: c_int, newfd: c_int) -> c_int {
    // SAFETY: no pointers; the caller wants it replaced.
    replace(oldfd, newfd, || unsafe { next::dup2(oldfd, newfd) })
}

/// dup3(2). An attached descriptor, or a pipe, that is replaced is closed as by ioevent_close. Any thread.
/// ioevent_close(3), rule 4.4.
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_dup3(oldfd: c_int, newfd: c_int, flags: c_int) -> c_int {
    if lookup::is_nothing(newfd) {
        // SAFETY: no pointers; the caller wants it replaced.
        return unsafe { next::dup3(oldfd, newfd, flags) };
    }
    dup3_otherwise(oldfd, newfd, flags)
}

#[inline(never)]
fn dup3_otherwise(oldfd: c_int, newfd: c_int, flags: c_int) -> c_int {
    if flags & !libc::O_CLOEXEC != 0 || oldfd == newfd {
        return fail(Errno::EINVAL);
    }
    // SAFETY: no pointers; the caller wants it replaced.
    replace(oldfd, newfd, || unsafe { next::dup3(oldfd, newfd, flags) })
}

/// Closes what the library has at `newfd`, and has libc replace it.
fn replace(oldfd: c_int, newfd: c_int, libc: impl FnOnce() -> c_int) -> c_int {
    let closed: c_int = answer(|| close::replace(oldfd, newfd).map(|()| 0));
    if closed == 0 { libc() } else { closed }
}
