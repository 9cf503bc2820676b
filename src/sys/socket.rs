//! Socket calls that do not wait: MSG_DONTWAIT where there is such a flag.

use super::fd::OwnedFd;
use super::raw::{self, Sysno};
use super::{Errno, Result, UserPtr};
use core::ffi::c_int;

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

/// `send` without flags or address. What the kernel answers: bytes, or -errno.
#[inline(always)]
pub(crate) fn send_plainly(fd: c_int, buf: UserPtr, len: usize) -> isize {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: as in `recv`.
    unsafe { raw::answer6(Sysno::sendto, fd as usize, buf.addr(), len, flags as usize, 0, 0) }
}

/// recvmsg(2) with MSG_DONTWAIT.
pub(crate) fn recvmsg(fd: c_int, msg: UserPtr, flags: c_int) -> Result<usize> {
    // SAFETY: as in `recv`.
    unsafe { raw::call3(Sysno::recvmsg, fd as usize, msg.addr(), (flags | libc::MSG_DONTWAIT) as usize) }
}

/// sendmsg(2) with MSG_DONTWAIT and MSG_NOSIGNAL.
pub(crate) fn sendmsg(fd: c_int, msg: UserPtr, flags: c_int) -> Result<usize> {
    let flags = flags | libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: as in `recv`.
    unsafe { raw::call3(Sysno::sendmsg, fd as usize, msg.addr(), flags as usize) }
}

/// A message with one descriptor and one byte.
struct Message {
    byte: u8,
    iov: libc::iovec,
    control: [u64; 3],
    header: libc::msghdr,
}

/// Calls `call` with an empty message of that kind.
fn with_message<T>(call: impl FnOnce(&mut Message) -> T) -> T {
    let mut message = Message {
        byte: 0,
        iov: libc::iovec { iov_base: core::ptr::null_mut(), iov_len: 1 },
        control: [0; 3],
        // SAFETY: zero is a valid msghdr.
        header: unsafe { core::mem::zeroed() },
    };
    message.iov.iov_base = (&raw mut message.byte).cast();
    message.header.msg_iov = &raw mut message.iov;
    message.header.msg_iovlen = 1;
    message.header.msg_control = message.control.as_mut_ptr().cast();
    message.header.msg_controllen = size_of_val(&message.control);
    call(&mut message)
}

/// Holds the open file of `fd` without a descriptor of it, in a message that nobody reads until `take_pinned`. (Closing a descriptor
/// of a file loses the locks of the process on it; letting go of a message does not.) What is returned is a socket.
pub(crate) fn pin(fd: c_int) -> Result<OwnedFd> {
    let mut pair = [-1 as c_int; 2];
    let kind = (libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK) as usize;
    // SAFETY: the kernel writes two ints.
    unsafe { raw::call4(Sysno::socketpair, libc::AF_UNIX as usize, kind, 0, pair.as_mut_ptr() as usize)? };
    let [from, to] = pair.map(OwnedFd::adopt);
    with_message(|message| {
        // SAFETY: the control buffer has room for the header and one int.
        unsafe {
            let header = libc::CMSG_FIRSTHDR(&raw const message.header);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(size_of::<c_int>() as u32) as _;
            libc::CMSG_DATA(header).cast::<c_int>().write_unaligned(fd);
            raw::call3(
                Sysno::sendmsg,
                from.raw() as usize,
                &raw const message.header as usize,
                libc::MSG_NOSIGNAL as usize,
            )
        }
    })?;
    to.move_out_of_the_way()
}

/// Makes a descriptor of the open file that `pin` holds.
pub(crate) fn take_pinned(pin: c_int) -> Result<OwnedFd> {
    with_message(|message| {
        let flags = (libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC) as usize;
        // SAFETY: the kernel writes to the message, within the lengths that it has.
        unsafe { raw::call3(Sysno::recvmsg, pin as usize, &raw mut message.header as usize, flags)? };
        // SAFETY: the kernel has filled the control buffer, and says how far.
        let fd = unsafe {
            let header = libc::CMSG_FIRSTHDR(&raw const message.header);
            if header.is_null() || (*header).cmsg_type != libc::SCM_RIGHTS {
                // There was no descriptor to be had.
                return Err(Errno::EMFILE);
            }
            libc::CMSG_DATA(header).cast::<c_int>().read_unaligned()
        };
        Ok(OwnedFd::adopt(fd))
    })
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

/// Whether a connect(2) that does not wait may leave a connection begun: it does not on AF_UNIX, nor without connections. True
/// too if it cannot be told.
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

/// Whether the socket is TCP over IPv4 or IPv6, without an upper layer protocol (such as TLS in the kernel). False too if
/// it cannot be told.
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
