//! Socket calls that do not wait: MSG_DONTWAIT where there is such a flag.

use super::fd::OwnedFd;
use super::raw::{self, Sysno};
use super::{Result, UserPtr, message};
use core::ffi::c_int;

/// socket(2), close-on-exec.
pub(crate) fn create(family: c_int, kind: c_int) -> Result<OwnedFd> {
    let kind = kind | libc::SOCK_CLOEXEC;
    // SAFETY: no pointers.
    unsafe { raw::call3(Sysno::socket, family as usize, kind as usize, 0) }
        .map(|fd| OwnedFd::adopt(fd as c_int))
}

/// recvfrom(2) with MSG_DONTWAIT.
#[inline]
pub(crate) fn recv(
    fd: c_int,
    buf: UserPtr,
    len: usize,
    flags: c_int,
    addr: UserPtr,
    addrlen: UserPtr,
) -> Result<usize> {
    let flags = flags | libc::MSG_DONTWAIT;
    // SAFETY: a `UserPtr` stands for memory that the operation may use; the kernel checks it.
    unsafe {
        raw::call6(Sysno::recvfrom, fd as usize, buf.addr(), len, flags as usize, addr.addr(), addrlen.addr())
    }
}

/// `recv` without flags or address. What the kernel answers: bytes, or -errno.
#[inline(always)]
pub(crate) fn recv_plainly(fd: c_int, buf: UserPtr, len: usize) -> isize {
    let flags = libc::MSG_DONTWAIT as usize;
    // SAFETY: as in `recv`.
    unsafe { raw::answer6(Sysno::recvfrom, fd as usize, buf.addr(), len, flags, 0, 0) }
}

/// sendto(2) with MSG_DONTWAIT and MSG_NOSIGNAL.
#[inline]
pub(crate) fn send(
    fd: c_int,
    buf: UserPtr,
    len: usize,
    flags: c_int,
    addr: UserPtr,
    addrlen: usize,
) -> Result<usize> {
    let flags = flags | libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: as in `recv`.
    unsafe { raw::call6(Sysno::sendto, fd as usize, buf.addr(), len, flags as usize, addr.addr(), addrlen) }
}

/// `send` without an address. What the kernel answers: bytes, or -errno.
#[inline(always)]
pub(crate) fn send_plainly(fd: c_int, buf: UserPtr, len: usize, flags: c_int) -> isize {
    sendto_plainly(fd, buf, len, flags, UserPtr::NULL, 0)
}

/// `send`. What the kernel answers: bytes, or -errno.
#[inline(always)]
pub(crate) fn sendto_plainly(
    fd: c_int,
    buf: UserPtr,
    len: usize,
    flags: c_int,
    addr: UserPtr,
    addrlen: usize,
) -> isize {
    let flags = flags | libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: as in `recv`.
    unsafe { raw::answer6(Sysno::sendto, fd as usize, buf.addr(), len, flags as usize, addr.addr(), addrlen) }
}

/// `recv` with an address, without flags. What the kernel answers: bytes, or -errno.
#[inline(always)]
pub(crate) fn recvfrom_plainly(
    fd: c_int,
    buf: UserPtr,
    len: usize,
    addr: UserPtr,
    addrlen: UserPtr,
) -> isize {
    let flags = libc::MSG_DONTWAIT as usize;
    // SAFETY: as in `recv`.
    unsafe { raw::answer6(Sysno::recvfrom, fd as usize, buf.addr(), len, flags, addr.addr(), addrlen.addr()) }
}

/// `recvmsg` without flags but MSG_CMSG_CLOEXEC. What the kernel answers: bytes, or -errno.
#[inline(always)]
pub(crate) fn recvmsg_plainly(fd: c_int, msg: UserPtr, closes_on_exec: bool) -> isize {
    recvmsg_answer(fd, msg, if closes_on_exec { libc::MSG_CMSG_CLOEXEC } else { 0 })
}

/// `sendmsg`. What the kernel answers: bytes, or -errno.
#[inline(always)]
pub(crate) fn sendmsg_plainly(fd: c_int, msg: UserPtr, flags: c_int) -> isize {
    let flags = flags | libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    message::sent(msg, |msg| {
        // SAFETY: as in `recv`.
        unsafe { raw::answer3(Sysno::sendmsg, fd as usize, msg.addr(), flags as usize) }
    })
}

/// The same for a msghdr that has these buffers and nothing else.
#[inline(always)]
pub(crate) fn sendmsg_of(fd: c_int, iov: UserPtr, count: usize) -> isize {
    // SAFETY: zero is a valid msghdr.
    let mut message: libc::msghdr = unsafe { core::mem::zeroed() };
    message.msg_iov = iov.addr() as *mut libc::iovec;
    message.msg_iovlen = count as _;
    // SAFETY: the msghdr is used only during the call.
    sendmsg_plainly(fd, unsafe { UserPtr::new(&raw const message) }, 0)
}

/// recvmsg(2) with MSG_DONTWAIT.
pub(crate) fn recvmsg(fd: c_int, msg: UserPtr, flags: c_int) -> Result<usize> {
    raw::split(recvmsg_answer(fd, msg, flags) as usize)
}

#[inline(always)]
fn recvmsg_answer(fd: c_int, msg: UserPtr, flags: c_int) -> isize {
    let flags = flags | libc::MSG_DONTWAIT;
    message::received(msg, |msg| {
        // SAFETY: as in `recv`.
        unsafe { raw::answer3(Sysno::recvmsg, fd as usize, msg.addr(), flags as usize) }
    })
}

/// sendmsg(2) with MSG_DONTWAIT and MSG_NOSIGNAL.
pub(crate) fn sendmsg(fd: c_int, msg: UserPtr, flags: c_int) -> Result<usize> {
    raw::split(sendmsg_plainly(fd, msg, flags) as usize)
}

/// accept4(2). It waits unless the open file has O_NONBLOCK.
pub(crate) fn accept(fd: c_int, addr: UserPtr, addrlen: UserPtr, flags: c_int) -> Result<usize> {
    // SAFETY: as in `recv`.
    unsafe { raw::call4(Sysno::accept4, fd as usize, addr.addr(), addrlen.addr(), flags as usize) }
}

/// connect(2). It waits unless the open file has O_NONBLOCK.
pub(crate) fn connect(fd: c_int, addr: UserPtr, addrlen: usize) -> Result<usize> {
    // SAFETY: as in `recv`.
    unsafe { raw::call3(Sysno::connect, fd as usize, addr.addr(), addrlen) }
}

/// shutdown(2).
pub(crate) fn shutdown(fd: c_int, how: c_int) -> Result<usize> {
    // SAFETY: no pointers.
    unsafe { raw::call2(Sysno::shutdown, fd as usize, how as usize) }
}

/// Whether a connect(2) that does not wait may leave a connection begun: it does not on AF_UNIX, nor without
/// connections. True too if it cannot be told.
pub(crate) fn connects_in_steps(fd: c_int) -> bool {
    let is_unix = option(fd, libc::SOL_SOCKET, libc::SO_DOMAIN) == Ok(libc::AF_UNIX);
    is_stream(fd).unwrap_or(true) && !is_unix
}

/// Whether it is AF_UNIX. True too if it cannot be told.
pub(crate) fn is_unix(fd: c_int) -> bool {
    !option(fd, libc::SOL_SOCKET, libc::SO_DOMAIN).is_ok_and(|domain| domain != libc::AF_UNIX)
}

fn option(fd: c_int, level: c_int, name: c_int) -> Result<c_int> {
    let mut value: c_int = 0;
    let mut len = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` bytes to `value`, and the length.
    unsafe {
        raw::call5(
            Sysno::getsockopt,
            fd as usize,
            level as usize,
            name as usize,
            &raw mut value as usize,
            &raw mut len as usize,
        )?;
    }
    Ok(value)
}

/// Whether a TCP socket is to connect with its first write.
pub(crate) fn connects_late(fd: c_int) -> bool {
    const TCP_FASTOPEN_CONNECT: c_int = 30;
    option(fd, libc::SOL_TCP, TCP_FASTOPEN_CONNECT).is_ok_and(|value| value != 0)
}

/// The error that a socket keeps for its next call, which it then does not keep any more; 0 if there is none.
pub(crate) fn take_error(fd: c_int) -> Result<c_int> {
    option(fd, libc::SOL_SOCKET, libc::SO_ERROR)
}

/// Whether an error waits in a socket that is hung up: it has ended the stream.
pub(crate) fn is_broken(fd: c_int) -> bool {
    const BROKEN: i16 = libc::POLLERR | libc::POLLHUP;
    super::fd::poll_now(fd, 0).is_ok_and(|revents| revents & BROKEN == BROKEN)
}

/// How many bytes can be read at once.
pub(crate) fn bytes_to_read(fd: c_int) -> Result<c_int> {
    let mut count: c_int = 0;
    // SAFETY: the kernel writes an int.
    unsafe { raw::call3(Sysno::ioctl, fd as usize, libc::FIONREAD as usize, &raw mut count as usize)? };
    Ok(count)
}

/// Whether the socket moves a stream of bytes, so that a write may be taken in parts.
pub(crate) fn is_stream(fd: c_int) -> Result<bool> {
    option(fd, libc::SOL_SOCKET, libc::SO_TYPE).map(|kind| kind == libc::SOCK_STREAM)
}

/// Whether the socket is TCP over IPv4 or IPv6, without an upper layer protocol (such as TLS in the kernel). False too
/// if it cannot be told.
pub(crate) fn is_plain_tcp(fd: c_int) -> bool {
    let domain = option(fd, libc::SOL_SOCKET, libc::SO_DOMAIN);
    if !matches!(domain, Ok(libc::AF_INET | libc::AF_INET6))
        || option(fd, libc::SOL_SOCKET, libc::SO_PROTOCOL) != Ok(libc::IPPROTO_TCP)
    {
        return false;
    }
    // With an upper layer the kernel writes its name; without one it writes nothing and sets the length to 0.
    let mut name = [0u8; 16];
    let mut len = name.len() as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` bytes to `name`, and the length.
    let r = unsafe {
        raw::call5(
            Sysno::getsockopt,
            fd as usize,
            libc::SOL_TCP as usize,
            libc::TCP_ULP as usize,
            name.as_mut_ptr() as usize,
            &raw mut len as usize,
        )
    };
    match r {
        Ok(_) => len == 0,
        // Kernels before 4.13 have no upper layers.
        Err(errno) => !errno.is_refusal(),
    }
}
