//! recv, send, accept, connect and their variants.

#![allow(clippy::missing_safety_doc)] // Each comment says what the pointers must be good for.

use super::entry::{
    input, input_otherwise, output, output_begun, output_otherwise, output_shared, output_shared_begun, queue,
};
use super::{answer_slow, lent, libcs, queued};
use crate::calls::accept::{self, Accept};
use crate::calls::start::{self, ByCall};
use crate::calls::{close, lookup};
use crate::engine::call::{Recv, Recvfrom, Recvmsg, Send, Sendmsg, Sendto};
use crate::queue::op::Kind;
use crate::state::attachment::{Attachment, Entry, Locked};
use crate::sync::access::Sole;
use crate::sys::{UserPtr, next};
use core::ffi::{c_int, c_void};
use libc::{msghdr, sockaddr, socklen_t, ssize_t};

/// recv(2); queued on an attached descriptor. The buffer is the library's until the event has been read. Any thread.
/// ioevent_read(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_recv(fd: c_int, buf: *mut c_void, len: usize, flags: c_int) -> ssize_t {
    let call = Recv { kind: Kind::Recv, buf: lent(buf), len, flags };
    input(fd, call, |node| recv_shared(fd, buf, len, flags, node), || recv_otherwise(fd, buf, len, flags))
}

#[inline(never)]
fn recv_shared(fd: c_int, buf: *mut c_void, len: usize, flags: c_int, node: &'static Attachment) -> ssize_t {
    let call = Recv { kind: Kind::Recv, buf: lent(buf), len, flags };
    if start::wait_shared(node, call, ByCall) { queued() } else { recv_otherwise(fd, buf, len, flags) }
}

#[inline(never)]
fn recv_otherwise(fd: c_int, buf: *mut c_void, len: usize, flags: c_int) -> ssize_t {
    input_otherwise(fd, Recv { kind: Kind::Recv, buf: lent(buf), len, flags })
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
    if addr.is_null() && !lookup::is_nothing(fd) {
        // SAFETY: as promised by the caller.
        return unsafe { ioevent_recv(fd, buf, len, flags) };
    }
    let call = Recvfrom { buf: lent(buf), len, flags, addr: lent(addr), addrlen: lent(addrlen) };
    let otherwise = || recvfrom_otherwise(fd, buf, len, flags, addr, addrlen);
    input(fd, call, |_| otherwise(), otherwise)
}

#[inline(never)]
fn recvfrom_otherwise(
    fd: c_int,
    buf: *mut c_void,
    len: usize,
    flags: c_int,
    addr: *mut sockaddr,
    addrlen: *mut socklen_t,
) -> ssize_t {
    input_otherwise(fd, Recvfrom { buf: lent(buf), len, flags, addr: lent(addr), addrlen: lent(addrlen) })
}

/// recvmsg(2); queued on an attached descriptor. The struct and all it points to are the library's until the event has
/// been read. Any thread. ioevent_read(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_recvmsg(fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t {
    let call = Recvmsg { message: lent(msg), flags };
    input(fd, call, |_| recvmsg_otherwise(fd, msg, flags), || recvmsg_otherwise(fd, msg, flags))
}

#[inline(never)]
fn recvmsg_otherwise(fd: c_int, msg: *mut msghdr, flags: c_int) -> ssize_t {
    input_otherwise(fd, Recvmsg { message: lent(msg), flags })
}

/// send(2); queued on an attached descriptor. The buffer is the library's until the event has been read. No SIGPIPE.
/// Any thread. ioevent_read(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_send(fd: c_int, buf: *const c_void, len: usize, flags: c_int) -> ssize_t {
    output(
        fd,
        Send { kind: Kind::Send, buf: lent(buf), len, flags },
        |sole, node, sent| send_begun(sole, node, buf, len, flags, sent),
        |node| send_shared(fd, buf, len, flags, node),
        || send_otherwise(fd, buf, len, flags),
    )
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

#[inline(never)]
fn send_otherwise(fd: c_int, buf: *const c_void, len: usize, flags: c_int) -> ssize_t {
    output_otherwise(fd, Send { kind: Kind::Send, buf: lent(buf), len, flags })
}

#[inline(never)]
fn send_shared(
    fd: c_int,
    buf: *const c_void,
    len: usize,
    flags: c_int,
    node: &'static Attachment,
) -> ssize_t {
    #[cold]
    #[inline(never)]
    fn begun(attachment: Locked, buf: *const c_void, len: usize, flags: c_int, sent: isize) -> ssize_t {
        output_shared_begun(attachment, Send { kind: Kind::Send, buf: lent(buf), len, flags }, sent)
    }
    #[cold]
    #[inline(never)]
    fn unlocked(
        attachment: Option<Locked>,
        fd: c_int,
        buf: *const c_void,
        len: usize,
        flags: c_int,
    ) -> ssize_t {
        drop(attachment);
        send_otherwise(fd, buf, len, flags)
    }
    output_shared(
        node,
        Send { kind: Kind::Send, buf: lent(buf), len, flags },
        |attachment, sent| begun(attachment, buf, len, flags, sent),
        |attachment| unlocked(attachment, fd, buf, len, flags),
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
    if addr.is_null() && addrlen == 0 && !lookup::is_nothing(fd) {
        // SAFETY: as promised by the caller.
        return unsafe { ioevent_send(fd, buf, len, flags) };
    }
    let otherwise = || sendto_otherwise(fd, buf, len, flags, addr, addrlen);
    output(
        fd,
        Sendto { buf: lent(buf), len, flags, addr: lent(addr), addrlen },
        |sole, node, sent| sendto_begun(sole, node, buf, len, flags, (addr, addrlen), sent),
        |_| otherwise(),
        otherwise,
    )
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

#[inline(never)]
fn sendto_otherwise(
    fd: c_int,
    buf: *const c_void,
    len: usize,
    flags: c_int,
    addr: *const sockaddr,
    addrlen: socklen_t,
) -> ssize_t {
    output_otherwise(fd, Sendto { buf: lent(buf), len, flags, addr: lent(addr), addrlen })
}

/// sendmsg(2); queued on an attached descriptor. The struct and all it points to are the library's until the event has
/// been read. No SIGPIPE. Any thread. ioevent_read(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_sendmsg(fd: c_int, msg: *const msghdr, flags: c_int) -> ssize_t {
    output(
        fd,
        Sendmsg { message: lent(msg), flags },
        |sole, node, sent| sendmsg_begun(sole, node, msg, flags, sent),
        |_| sendmsg_otherwise(fd, msg, flags),
        || sendmsg_otherwise(fd, msg, flags),
    )
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

#[inline(never)]
fn sendmsg_otherwise(fd: c_int, msg: *const msghdr, flags: c_int) -> ssize_t {
    output_otherwise(fd, Sendmsg { message: lent(msg), flags })
}

/// accept(2); queued on an attached descriptor. The event's ioe_result is the new descriptor, which is not attached, or
/// -1: EINVAL if the listener was shut down. Address and its length are the library's until the event has been read.
/// Any thread. ioevent_accept(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_accept(fd: c_int, addr: *mut sockaddr, addrlen: *mut socklen_t) -> c_int {
    if lookup::is_nothing(fd) {
        // SAFETY: as promised by the caller.
        return given_out(unsafe { next::accept(fd, addr, addrlen) });
    }
    accept_otherwise(fd, addr, addrlen)
}

#[inline(never)]
fn accept_otherwise(fd: c_int, addr: *mut sockaddr, addrlen: *mut socklen_t) -> c_int {
    // SAFETY: as promised by the caller of `ioevent_accept`.
    let call = || given_out(unsafe { next::accept(fd, addr, addrlen) });
    let libcs = || libcs::watch(fd, Kind::Accept, call);
    begin_accept(fd, Accept { addr: lent(addr), addrlen: lent(addrlen), flags: 0 }, libcs)
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
    if lookup::is_nothing(fd) {
        // SAFETY: as promised by the caller.
        return given_out(unsafe { next::accept4(fd, addr, addrlen, flags) });
    }
    accept4_otherwise(fd, addr, addrlen, flags)
}

#[inline(never)]
fn accept4_otherwise(fd: c_int, addr: *mut sockaddr, addrlen: *mut socklen_t, flags: c_int) -> c_int {
    // SAFETY: as promised by the caller of `ioevent_accept4`.
    let call = || given_out(unsafe { next::accept4(fd, addr, addrlen, flags) });
    let libcs = || libcs::watch(fd, Kind::Accept, call);
    begin_accept(fd, Accept { addr: lent(addr), addrlen: lent(addrlen), flags }, libcs)
}

/// Begins an accept if `fd` is attached, else calls libc.
fn begin_accept(fd: c_int, call: Accept, libc: impl FnOnce() -> c_int) -> c_int {
    match lookup::get(fd) {
        Entry::Attachment(node) => answer_slow(accept::accept(node, call, ByCall), libc),
        _ => libc(),
    }
}

/// The kernel has given a number out: what the library has under it was closed behind its back (rule 4.4).
#[inline(always)]
fn given_out(number: c_int) -> c_int {
    if number >= 0 && !lookup::is_nothing(number) {
        close::forget(number);
    }
    number
}

/// connect(2); queued on an attached descriptor. The address is the library's until the event has been read. Reads that
/// are queued behind it wait for it. On a socket that is connecting it waits for the outcome. Any thread.
/// ioevent_accept(3), rule 2.4.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioevent_connect(fd: c_int, addr: *const sockaddr, addrlen: socklen_t) -> c_int {
    if lookup::is_nothing(fd) {
        // SAFETY: as promised by the caller.
        return unsafe { next::connect(fd, addr, addrlen) };
    }
    queue(fd, Kind::Connect, UserPtr::NULL, addrlen as usize, lent(addr), 0) as c_int
}
