//! Calls as their callers made them, in registers: what the fast path (`start`) is made for.

use super::iovecs::Iovecs;
use crate::queue::op::{Kind, MOST_BYTES, Request};
use crate::state::file_class::Class;
use crate::state::slot::{IDLE_FLAGS, LENGTH_BEHIND, Slot, Waiting, is_plain_length};
use crate::sys::{Errno, UserPtr, file, socket};
use core::ffi::c_int;

/// A call on a socket that moves bytes.
pub(crate) trait Call: Copy {
    /// Whether the kernel reads structs of the caller's before it looks for data: it is asked once whether it takes
    /// them, before the operation waits.
    const IS_ASKED_FIRST: bool = false;

    /// Whether there is nothing about it that only the slow path knows.
    fn is_plain(&self) -> bool;
    /// Whether `attempt` is right for this class of sockets.
    #[inline(always)]
    fn suits(&self, _: Class) -> bool {
        true
    }

    /// One try, which does not wait. What the kernel answers: bytes, or -errno.
    fn attempt(&self, fd: c_int) -> isize;
    /// How many bytes it moves at most. The kernel has taken its structs.
    fn total(&self) -> usize;
    /// Whether what the kernel has answered says that all was moved.
    #[inline(always)]
    fn is_whole(&self, answer: isize) -> bool {
        answer >= 0 && answer as usize == self.total()
    }
    /// The same as a request, for the slow path.
    fn request(&self) -> Request;
}

/// A call that can wait in a slot.
pub(crate) trait InputCall: Call {
    /// Whether its slot has no room for more than its addresses.
    const HAS_ADDRESS: bool = false;

    /// How it waits; `None` if it does not fit.
    fn slot(&self) -> Option<Slot>;
}

fn closes_on_exec(flags: c_int) -> bool {
    flags & libc::MSG_CMSG_CLOEXEC != 0
}

/// read, and recv and recvfrom without an address.
#[derive(Clone, Copy)]
pub(crate) struct Recv {
    pub(crate) kind: Kind,
    pub(crate) buf: UserPtr,
    pub(crate) len: usize,
    pub(crate) flags: c_int,
}

impl Call for Recv {
    #[inline(always)]
    fn is_plain(&self) -> bool {
        is_plain_length(self.len) && self.flags & !IDLE_FLAGS == 0
    }

    #[inline(always)]
    fn attempt(&self, fd: c_int) -> isize {
        socket::recv_plainly(fd, self.buf, self.len)
    }

    #[inline(always)]
    fn total(&self) -> usize {
        self.len
    }

    #[inline(always)]
    fn request(&self) -> Request {
        Request { kind: self.kind, buf: self.buf, len: self.len, arg: self.flags, ..Request::NOTHING }
    }
}

impl InputCall for Recv {
    #[inline(always)]
    fn slot(&self) -> Option<Slot> {
        Some(Slot::new(Waiting::Bytes, self.buf, self.len as u32))
    }
}

/// recvfrom with an address.
#[derive(Clone, Copy)]
pub(crate) struct Recvfrom {
    pub(crate) buf: UserPtr,
    pub(crate) len: usize,
    pub(crate) flags: c_int,
    pub(crate) addr: UserPtr,
    pub(crate) addrlen: UserPtr,
}

impl Call for Recvfrom {
    #[inline(always)]
    fn is_plain(&self) -> bool {
        is_plain_length(self.len) && self.flags & !IDLE_FLAGS == 0 && !self.addr.is_null()
    }

    #[inline(always)]
    fn attempt(&self, fd: c_int) -> isize {
        socket::recvfrom_plainly(fd, self.buf, self.len, self.addr, self.addrlen)
    }

    #[inline(always)]
    fn total(&self) -> usize {
        self.len
    }

    #[inline(always)]
    fn request(&self) -> Request {
        Request {
            kind: Kind::Recv,
            buf: self.buf,
            len: self.len,
            addr: self.addr,
            addrlen: self.addrlen,
            arg: self.flags,
            ..Request::NOTHING
        }
    }
}

impl InputCall for Recvfrom {
    const HAS_ADDRESS: bool = true;

    #[inline(always)]
    fn slot(&self) -> Option<Slot> {
        Slot::addressed(self.buf, self.len as u32, self.addr, self.addrlen)
    }
}

/// recvfrom with an address from Rust, whose length comes right behind the room for it.
#[derive(Clone, Copy)]
pub(crate) struct Datagram {
    pub(crate) buf: UserPtr,
    pub(crate) len: usize,
    pub(crate) flags: c_int,
    pub(crate) addr: UserPtr,
}

impl Datagram {
    #[inline(always)]
    fn by_addresses(&self) -> Recvfrom {
        let Datagram { buf, len, flags, addr } = *self;
        Recvfrom { buf, len, flags, addr, addrlen: UserPtr::number(addr.addr() + LENGTH_BEHIND) }
    }
}

impl Call for Datagram {
    #[inline(always)]
    fn is_plain(&self) -> bool {
        self.by_addresses().is_plain()
    }

    #[inline(always)]
    fn attempt(&self, fd: c_int) -> isize {
        self.by_addresses().attempt(fd)
    }

    #[inline(always)]
    fn total(&self) -> usize {
        self.len
    }

    #[inline(always)]
    fn request(&self) -> Request {
        self.by_addresses().request()
    }
}

impl InputCall for Datagram {
    #[inline(always)]
    fn slot(&self) -> Option<Slot> {
        Slot::datagram(self.buf, self.len as u32, self.addr)
    }
}

/// The iovecs of an array that the kernel has taken.
#[inline(always)]
fn total_of(iov: UserPtr, count: usize) -> usize {
    if count == 1 {
        // SAFETY: the kernel has taken the array.
        return unsafe { (*(iov.addr() as *const libc::iovec)).iov_len }.min(MOST_BYTES);
    }
    total_of_many(iov, count)
}

#[inline(never)]
fn total_of_many(iov: UserPtr, count: usize) -> usize {
    // SAFETY: the kernel has taken the array.
    unsafe { Iovecs::accepted(iov, count) }.total()
}

/// The iovecs of a msghdr that the kernel has taken.
#[inline(always)]
fn total_of_message(message: UserPtr) -> usize {
    // SAFETY: the kernel has read the msghdr, so it is there, and is the library's (rule 2.3).
    let message = unsafe { &*(message.addr() as *const libc::msghdr) };
    // SAFETY: the kernel has taken the array with it.
    total_of(unsafe { UserPtr::new(message.msg_iov) }, message.msg_iovlen as _)
}

/// readv.
#[derive(Clone, Copy)]
pub(crate) struct Readv {
    pub(crate) iov: UserPtr,
    pub(crate) count: u32,
}

impl Call for Readv {
    const IS_ASKED_FIRST: bool = true;

    #[inline(always)]
    fn is_plain(&self) -> bool {
        is_plain_count(self.count as c_int)
    }

    #[inline(always)]
    fn attempt(&self, fd: c_int) -> isize {
        // A readv of no bytes does not ask the socket, so it is no recvmsg.
        file::readv_plainly(fd, self.iov, self.count as usize)
    }

    #[inline(always)]
    fn total(&self) -> usize {
        total_of(self.iov, self.count as usize)
    }

    #[inline(always)]
    fn request(&self) -> Request {
        Request { kind: Kind::Readv, buf: self.iov, len: self.count as usize, ..Request::NOTHING }
    }
}

impl InputCall for Readv {
    #[inline(always)]
    fn slot(&self) -> Option<Slot> {
        Some(Slot::new(Waiting::Vector, self.iov, self.count))
    }
}

/// Some buffers, and no more than the kernel takes.
#[inline(always)]
fn is_plain_count(count: c_int) -> bool {
    (1..=1024).contains(&count)
}

/// recvmsg.
#[derive(Clone, Copy)]
pub(crate) struct Recvmsg {
    pub(crate) message: UserPtr,
    pub(crate) flags: c_int,
}

impl Call for Recvmsg {
    const IS_ASKED_FIRST: bool = true;

    #[inline(always)]
    fn is_plain(&self) -> bool {
        self.flags & !(IDLE_FLAGS | libc::MSG_CMSG_CLOEXEC) == 0
    }

    #[inline(always)]
    fn attempt(&self, fd: c_int) -> isize {
        socket::recvmsg_plainly(fd, self.message, closes_on_exec(self.flags))
    }

    #[inline(always)]
    fn total(&self) -> usize {
        total_of_message(self.message)
    }

    #[inline(always)]
    fn request(&self) -> Request {
        Request { kind: Kind::Recvmsg, buf: self.message, arg: self.flags, ..Request::NOTHING }
    }
}

impl InputCall for Recvmsg {
    #[inline(always)]
    fn slot(&self) -> Option<Slot> {
        Some(Slot::message(self.message, closes_on_exec(self.flags)))
    }
}

/// write, and send and sendto without an address.
#[derive(Clone, Copy)]
pub(crate) struct Send {
    pub(crate) kind: Kind,
    pub(crate) buf: UserPtr,
    pub(crate) len: usize,
    pub(crate) flags: c_int,
}

impl Call for Send {
    #[inline(always)]
    fn is_plain(&self) -> bool {
        is_plain_length(self.len) && self.flags & !SEND_FLAGS == 0
    }

    #[inline(always)]
    fn attempt(&self, fd: c_int) -> isize {
        socket::send_plainly(fd, self.buf, self.len, self.flags)
    }

    #[inline(always)]
    fn total(&self) -> usize {
        self.len
    }

    #[inline(always)]
    fn is_whole(&self, answer: isize) -> bool {
        // No error is a plain length.
        answer == self.len as isize
    }

    #[inline(always)]
    fn request(&self) -> Request {
        Request { kind: self.kind, buf: self.buf, len: self.len, arg: self.flags, ..Request::NOTHING }
    }
}

/// sendto with an address.
#[derive(Clone, Copy)]
pub(crate) struct Sendto {
    pub(crate) buf: UserPtr,
    pub(crate) len: usize,
    pub(crate) flags: c_int,
    pub(crate) addr: UserPtr,
    pub(crate) addrlen: u32,
}

impl Call for Sendto {
    #[inline(always)]
    fn is_plain(&self) -> bool {
        is_plain_length(self.len) && self.flags & !SEND_FLAGS == 0
    }

    #[inline(always)]
    fn attempt(&self, fd: c_int) -> isize {
        socket::sendto_plainly(fd, self.buf, self.len, self.flags, self.addr, self.addrlen as usize)
    }

    #[inline(always)]
    fn total(&self) -> usize {
        self.len
    }

    #[inline(always)]
    fn is_whole(&self, answer: isize) -> bool {
        // No error is a plain length.
        answer == self.len as isize
    }

    #[inline(always)]
    fn request(&self) -> Request {
        Request {
            kind: Kind::Send,
            buf: self.buf,
            len: self.len,
            addr: self.addr,
            addrlen: UserPtr::number(self.addrlen as usize),
            arg: self.flags,
            ..Request::NOTHING
        }
    }
}

/// writev.
#[derive(Clone, Copy)]
pub(crate) struct Writev {
    pub(crate) iov: UserPtr,
    pub(crate) count: c_int,
}

impl Call for Writev {
    #[inline(always)]
    fn is_plain(&self) -> bool {
        is_plain_count(self.count)
    }

    #[inline(always)]
    fn suits(&self, class: Class) -> bool {
        class.is_stream_socket()
    }

    #[inline(always)]
    fn attempt(&self, fd: c_int) -> isize {
        let sent = socket::sendmsg_of(fd, self.iov, self.count as usize);
        if sent < 0 { self.without_bytes(sent) } else { sent }
    }

    #[inline(always)]
    fn total(&self) -> usize {
        total_of(self.iov, self.count as usize)
    }

    #[inline(always)]
    fn request(&self) -> Request {
        let len = self.count as u32 as usize;
        Request { kind: Kind::Writev, buf: self.iov, len, ..Request::NOTHING }
    }
}

impl Writev {
    /// A writev of no bytes does not ask the socket, and so has none of its errors.
    #[cold]
    fn without_bytes(&self, failed: isize) -> isize {
        let is_of_array = matches!(Errno(-failed as c_int), Errno::EAGAIN | Errno::EFAULT | Errno::EINVAL);
        if !is_of_array && self.total() == 0 { 0 } else { failed }
    }
}

/// sendmsg.
#[derive(Clone, Copy)]
pub(crate) struct Sendmsg {
    pub(crate) message: UserPtr,
    pub(crate) flags: c_int,
}

impl Call for Sendmsg {
    #[inline(always)]
    fn is_plain(&self) -> bool {
        self.flags & !SEND_FLAGS == 0
    }

    #[inline(always)]
    fn attempt(&self, fd: c_int) -> isize {
        socket::sendmsg_plainly(fd, self.message, self.flags)
    }

    #[inline(always)]
    fn total(&self) -> usize {
        total_of_message(self.message)
    }

    #[inline(always)]
    fn request(&self) -> Request {
        Request { kind: Kind::Sendmsg, buf: self.message, arg: self.flags, ..Request::NOTHING }
    }
}

/// Flags with which a call that was taken whole is complete.
const SEND_FLAGS: c_int =
    IDLE_FLAGS | libc::MSG_MORE | libc::MSG_DONTROUTE | libc::MSG_CONFIRM | libc::MSG_EOR;
