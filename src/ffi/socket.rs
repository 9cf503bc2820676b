//! recv, send, accept, connect and their variants.

#![allow(clippy::missing_safety_doc)] // Each comment says what the pointers must be good for.

use super::{
    answer_slow, attached, done, input, lent, output, output_begun, output_shared, output_shared_begun,
    queue_or, queued, wait, wait_or,
};
use crate::calls::accept::{self, Accept};
use crate::calls::start::{self, ByCall, Fast};
use crate::calls::{close, lookup};
use crate::engine::call::{Recv, Recvfrom, Recvmsg, Send, Sendmsg, Sendto};
use crate::queue::op::{Kind, Request};
use crate::state::attachment::{Attachment, Entry, Locked};
use crate::sync::access::Sole;
use crate::sys::UserPtr;
use core::ffi::{c_int, c_void};
use libc::{msghdr, sockaddr, socklen_t, ssize_t};

/// recv(2); queued on an attached descriptor. The buffer is the library's until the event has been read. Any thread.
/// ioevent_read(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_recv(fd: c_int, buf: *mut c_void, len: usize, flags: c_int) -> ssize_t {
    let call = || Recv { kind: Kind::Recv, buf: lent(buf), len, flags };
    // SAFETY: as promised by the caller.
    let otherwise = |node| Some(unsafe { recv_shared(fd, buf, len, flags, node) });
    if let Some(answer) = wait_or(fd, call, otherwise, |_| None) {
        return answer;
    }
    // SAFETY: as promised by the caller.
    unsafe { recv_slow(fd, buf, len, flags) }
}

/// By a thread that locks.
///
/// # Safety
///
/// As for `ioevent_recv`.
#[inline(never)]
unsafe fn recv_shared(
    fd: c_int,
    buf: *mut c_void,
    len: usize,
    flags: c_int,
    node: &'static Attachment,
) -> ssize_t {
    if start::wait_shared(node, Recv { kind: Kind::Recv, buf: lent(buf), len, flags }, ByCall) {
        return queued();
    }
    // SAFETY: passed on to the caller.
    unsafe { recv_slow(fd, buf, len, flags) }
}

/// # Safety
///
/// As for `ioevent_recv`.
#[inline(never)]
unsafe fn recv_slow(fd: c_int, buf: *mut c_void, len: usize, flags: c_int) -> ssize_t {
    // SAFETY: passed on to the caller.
    input(
        fd,
        move || Recv { kind: Kind::Recv, buf: lent(buf), len, flags },
        move || unsafe { libc::recv(fd, buf, len, flags) },
    )
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
    if addr.is_null() {
        // SAFETY: as promised by the caller.
        return unsafe { ioevent_recv(fd, buf, len, flags) };
    }
    if let Some(answer) =
        wait(fd, || Recvfrom { buf: lent(buf), len, flags, addr: lent(addr), addrlen: lent(addrlen) })
    {
        return answer;
    }
    // SAFETY: as promised by the caller.
    unsafe { recvfrom_slow(fd, buf, len, flags, addr, addrlen) }
}

/// # Safety
///
/// As for `ioevent_recvfrom`.
#[inline(never)]
unsafe fn recvfrom_slow(
    fd: c_int,
    buf: *mut c_void,
    len: usize,
    flags: c_int,
    addr: *mut sockaddr,
    addrlen: *mut socklen_t,
) -> ssize_t {
    // SAFETY: passed on to the caller.
    input(
        fd,
        move || Recvfrom { buf: lent(buf), len, flags, addr: lent(addr), addrlen: lent(addrlen) },
        move || unsafe { libc::recvfrom(fd, buf, len, flags, addr, addrlen) },
    )
}

/// recvmsg(2); queued on an attached descriptor. The struct and all it points to are the library's until the event has
/// been read. Any thread. ioevent_read(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_recvmsg(fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t {
    if let Some(answer) = wait(fd, || Recvmsg { message: lent(msg), flags }) {
        return answer;
    }
    // SAFETY: as promised by the caller.
    unsafe { recvmsg_slow(fd, msg, flags) }
}

/// # Safety
///
/// As for `ioevent_recvmsg`.
#[inline(never)]
unsafe fn recvmsg_slow(fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t {
    // SAFETY: passed on to the caller.
    input(fd, move || Recvmsg { message: lent(msg), flags }, move || unsafe { libc::recvmsg(fd, msg, flags) })
}

/// send(2); queued on an attached descriptor. The buffer is the library's until the event has been read. No SIGPIPE.
/// Any thread. ioevent_read(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_send(fd: c_int, buf: *const c_void, len: usize, flags: c_int) -> ssize_t {
    if let Some(at) = attached(fd) {
        match start::output_sole(at, Send { kind: Kind::Send, buf: lent(buf), len, flags }, ByCall) {
            Fast::Queued => return queued(),
            Fast::Done(n) => return done(n),
            Fast::Not => {}
            Fast::Begun { access, sent } => {
                return send_begun(access, at.0, buf, len, flags, sent);
            }
        }
        // SAFETY: as promised by the caller.
        return unsafe { send_shared(fd, buf, len, flags, at.0) };
    }
    // SAFETY: as promised by the caller.
    unsafe { send_slow(fd, buf, len, flags) }
}

#[cold]
#[inline(never)]
fn send_begun(
    sole: Sole,
    node: &'static Attachment,
    buf: *const c_void,
    len: usize,
    flags: c_int,
    sent: isize,
) -> ssize_t {
    output_begun(sole, node, Send { kind: Kind::Send, buf: lent(buf), len, flags }, sent)
}

/// By a thread that locks.
///
/// # Safety
///
/// As for `ioevent_send`.
#[inline(never)]
unsafe fn send_shared(
    fd: c_int,
    buf: *const c_void,
    len: usize,
    flags: c_int,
    node: &'static Attachment,
) -> ssize_t {
    /// # Safety
    ///
    /// As for `ioevent_send`.
    #[cold]
    #[inline(never)]
    unsafe fn unlocked(
        fd: c_int,
        buf: *const c_void,
        len: usize,
        flags: c_int,
        attachment: Option<Locked>,
    ) -> ssize_t {
        drop(attachment);
        // SAFETY: passed on to the caller.
        unsafe { send_slow(fd, buf, len, flags) }
    }
    #[cold]
    #[inline(never)]
    fn begun(attachment: Locked, buf: *const c_void, len: usize, flags: c_int, sent: isize) -> ssize_t {
        output_shared_begun(attachment, Send { kind: Kind::Send, buf: lent(buf), len, flags }, sent)
    }
    let call = Send { kind: Kind::Send, buf: lent(buf), len, flags };
    output_shared(
        node,
        call,
        |attachment, sent| begun(attachment, buf, len, flags, sent),
        // SAFETY: passed on to the caller.
        |attachment| unsafe { unlocked(fd, buf, len, flags, attachment) },
    )
}

/// # Safety
///
/// As for `ioevent_send`.
#[inline(never)]
unsafe fn send_slow(fd: c_int, buf: *const c_void, len: usize, flags: c_int) -> ssize_t {
    // SAFETY: passed on to the caller.
    output(
        fd,
        move || Send { kind: Kind::Send, buf: lent(buf), len, flags },
        move || unsafe { libc::send(fd, buf, len, flags) },
    )
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
    if addr.is_null() && addrlen == 0 {
        // SAFETY: as promised by the caller.
        return unsafe { ioevent_send(fd, buf, len, flags) };
    }
    if let Some(at) = attached(fd) {
        match start::output_sole(at, Sendto { buf: lent(buf), len, flags, addr: lent(addr), addrlen }, ByCall)
        {
            Fast::Queued => return queued(),
            Fast::Done(n) => return done(n),
            Fast::Not => {}
            Fast::Begun { access, sent } => {
                return sendto_begun(access, at.0, buf, len, flags, (addr, addrlen), sent);
            }
        }
    }
    // SAFETY: as promised by the caller.
    unsafe { sendto_slow(fd, buf, len, flags, addr, addrlen) }
}

#[cold]
#[inline(never)]
fn sendto_begun(
    sole: Sole,
    node: &'static Attachment,
    buf: *const c_void,
    len: usize,
    flags: c_int,
    (addr, addrlen): (*const sockaddr, socklen_t),
    sent: isize,
) -> ssize_t {
    output_begun(sole, node, Sendto { buf: lent(buf), len, flags, addr: lent(addr), addrlen }, sent)
}

/// # Safety
///
/// As for `ioevent_sendto`.
#[inline(never)]
unsafe fn sendto_slow(
    fd: c_int,
    buf: *const c_void,
    len: usize,
    flags: c_int,
    addr: *const sockaddr,
    addrlen: socklen_t,
) -> ssize_t {
    // SAFETY: passed on to the caller.
    output(
        fd,
        move || Sendto { buf: lent(buf), len, flags, addr: lent(addr), addrlen },
        move || unsafe { libc::sendto(fd, buf, len, flags, addr, addrlen) },
    )
}

/// sendmsg(2); queued on an attached descriptor. The struct and all it points to are the library's until the event has
/// been read. No SIGPIPE. Any thread. ioevent_read(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_sendmsg(fd: c_int, msg: *const msghdr, flags: c_int) -> ssize_t {
    if let Some(at) = attached(fd) {
        match start::output_sole(at, Sendmsg { message: lent(msg), flags }, ByCall) {
            Fast::Queued => return queued(),
            Fast::Done(n) => return done(n),
            Fast::Not => {}
            Fast::Begun { access, sent } => {
                return sendmsg_begun(access, at.0, msg, flags, sent);
            }
        }
    }
    // SAFETY: as promised by the caller.
    unsafe { sendmsg_slow(fd, msg, flags) }
}

#[cold]
#[inline(never)]
fn sendmsg_begun(
    sole: Sole,
    node: &'static Attachment,
    msg: *const msghdr,
    flags: c_int,
    sent: isize,
) -> ssize_t {
    output_begun(sole, node, Sendmsg { message: lent(msg), flags }, sent)
}

/// # Safety
///
/// As for `ioevent_sendmsg`.
#[inline(never)]
unsafe fn sendmsg_slow(fd: c_int, msg: *const msghdr, flags: c_int) -> ssize_t {
    // SAFETY: passed on to the caller.
    output(
        fd,
        move || Sendmsg { message: lent(msg), flags },
        move || unsafe { libc::sendmsg(fd, msg, flags) },
    )
}

/// accept(2); queued on an attached descriptor. The event's ioe_result is the new descriptor, which is not attached, or
/// -1: EINVAL if the listener was shut down. Address and its length are the library's until the event has been read.
/// Any thread. ioevent_accept(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_accept(fd: c_int, addr: *mut sockaddr, addrlen: *mut socklen_t) -> c_int {
    let call = Accept { addr: lent(addr), addrlen: lent(addrlen), flags: 0 };
    // SAFETY: as promised by the caller.
    accept_or(fd, call, || unsafe { libc::accept(fd, addr, addrlen) })
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
    let call = Accept { addr: lent(addr), addrlen: lent(addrlen), flags };
    // SAFETY: as promised by the caller.
    accept_or(fd, call, || unsafe { libc::accept4(fd, addr, addrlen, flags) })
}

/// Begins an accept if `fd` is attached, else calls libc.
#[inline(always)]
fn accept_or(fd: c_int, call: Accept, libc: impl FnOnce() -> c_int) -> c_int {
    let libcs = || {
        let number = libc();
        // The kernel has given it out: what the library has under it was closed behind its back (rule 4.4).
        close::forget(number);
        number
    };
    match lookup::get(fd) {
        Entry::Attachment(node) => answer_slow(accept::accept(node, fd, call, ByCall), libcs),
        _ => libcs(),
    }
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
    queue_or(fd, request, move || unsafe { libc::connect(fd, addr, addrlen) })
}
