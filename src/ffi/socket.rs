//! recv, send, accept, connect and their variants.

#![allow(clippy::missing_safety_doc)] // Each comment says what the pointers must be good for.

use super::{lent, queue_or};
use crate::engine;
use crate::engine::op::{Kind, Request};
use crate::sys::UserPtr;
use core::ffi::{c_int, c_void};
use libc::{msghdr, sockaddr, socklen_t, ssize_t};

/// recv(2); queued on an attached descriptor. The buffer is the library's until the event has been read. Any thread.
/// ioevent_read(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_recv(fd: c_int, buf: *mut c_void, len: usize, flags: c_int) -> ssize_t {
    let request = Request { kind: Kind::Recv, buf: lent(buf), len, arg: flags, ..Request::NOTHING };
    // SAFETY: as promised by the caller.
    queue_or(fd, request, || unsafe { libc::recv(fd, buf, len, flags) })
}

/// recvfrom(2); queued on an attached descriptor. Buffer, address and its length are the library's until the event has
/// been read. Any thread. ioevent_read(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_recvfrom(
    fd: c_int,
    buf: *mut c_void,
    len: usize,
    flags: c_int,
    addr: *mut sockaddr,
    addrlen: *mut socklen_t,
) -> ssize_t {
    let request = Request {
        kind: Kind::Recv,
        buf: lent(buf),
        len,
        addr: lent(addr),
        addrlen: lent(addrlen),
        arg: flags,
        ..Request::NOTHING
    };
    // SAFETY: as promised by the caller.
    queue_or(fd, request, || unsafe { libc::recvfrom(fd, buf, len, flags, addr, addrlen) })
}

/// recvmsg(2); queued on an attached descriptor. The struct and all it points to are the library's until the event has
/// been read. Any thread. ioevent_read(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_recvmsg(fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t {
    let request = Request { kind: Kind::Recvmsg, buf: lent(msg), arg: flags, ..Request::NOTHING };
    // SAFETY: as promised by the caller.
    queue_or(fd, request, || unsafe { libc::recvmsg(fd, msg, flags) })
}

/// send(2); queued on an attached descriptor. The buffer is the library's until the event has been read. No SIGPIPE.
/// Any thread. ioevent_read(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_send(fd: c_int, buf: *const c_void, len: usize, flags: c_int) -> ssize_t {
    let request = Request { kind: Kind::Send, buf: lent(buf), len, arg: flags, ..Request::NOTHING };
    // SAFETY: as promised by the caller.
    queue_or(fd, request, || unsafe { libc::send(fd, buf, len, flags) })
}

/// sendto(2); queued on an attached descriptor. Buffer and address are the library's until the event has been read. No
/// SIGPIPE. Any thread. ioevent_read(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_sendto(
    fd: c_int,
    buf: *const c_void,
    len: usize,
    flags: c_int,
    addr: *const sockaddr,
    addrlen: socklen_t,
) -> ssize_t {
    let request = Request {
        kind: Kind::Send,
        buf: lent(buf),
        len,
        addr: lent(addr),
        addrlen: UserPtr::number(addrlen as usize),
        arg: flags,
        ..Request::NOTHING
    };
    // SAFETY: as promised by the caller.
    queue_or(fd, request, || unsafe { libc::sendto(fd, buf, len, flags, addr, addrlen) })
}

/// sendmsg(2); queued on an attached descriptor. The struct and all it points to are the library's until the event has
/// been read. No SIGPIPE. Any thread. ioevent_read(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_sendmsg(fd: c_int, msg: *const msghdr, flags: c_int) -> ssize_t {
    let request = Request { kind: Kind::Sendmsg, buf: lent(msg), arg: flags, ..Request::NOTHING };
    // SAFETY: as promised by the caller.
    queue_or(fd, request, || unsafe { libc::sendmsg(fd, msg, flags) })
}

/// accept(2); queued on an attached descriptor. The event's ioe_result is the new descriptor, which is not attached, or
/// -1: EINVAL if the listener was shut down. Address and its length are the library's until the event has been read.
/// Any thread. ioevent_accept(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_accept(fd: c_int, addr: *mut sockaddr, addrlen: *mut socklen_t) -> c_int {
    let request =
        Request { kind: Kind::Accept, addr: lent(addr), addrlen: lent(addrlen), ..Request::NOTHING };
    queue_or(fd, request, || {
        // SAFETY: as promised by the caller.
        given_out(unsafe { libc::accept(fd, addr, addrlen) })
    })
}

/// accept4(2); queued on an attached descriptor, like ioevent_accept. `flags`: SOCK_NONBLOCK, SOCK_CLOEXEC. Any thread.
/// ioevent_accept(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_accept4(
    fd: c_int,
    addr: *mut sockaddr,
    addrlen: *mut socklen_t,
    flags: c_int,
) -> c_int {
    let request = Request {
        kind: Kind::Accept,
        addr: lent(addr),
        addrlen: lent(addrlen),
        arg: flags,
        ..Request::NOTHING
    };
    queue_or(fd, request, || {
        // SAFETY: as promised by the caller.
        given_out(unsafe { libc::accept4(fd, addr, addrlen, flags) })
    })
}

/// The kernel has given a number out: what the library has under it was closed behind its back (rule 4.4).
fn given_out(number: c_int) -> c_int {
    engine::forget(number);
    number
}

/// connect(2); queued on an attached descriptor. The address is the library's until the event has been read. Reads that
/// are queued behind it wait for it. On a socket that is connecting it waits for the outcome. Any thread.
/// ioevent_accept(3), rule 2.4.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_connect(fd: c_int, addr: *const sockaddr, addrlen: socklen_t) -> c_int {
    let request = Request {
        kind: Kind::Connect,
        addr: lent(addr),
        addrlen: UserPtr::number(addrlen as usize),
        ..Request::NOTHING
    };
    // SAFETY: as promised by the caller.
    queue_or(fd, request, || unsafe { libc::connect(fd, addr, addrlen) })
}
