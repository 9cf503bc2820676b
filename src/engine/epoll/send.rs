//! One system call of what writes, from the given byte on.

use super::buffers::{message_iovecs, with_message};
use super::connection;
use super::file_io::write_file;
use crate::engine::iovecs::Iovecs;
use crate::queue::op::{Kind, OpRef};
use crate::state::attachment::Locked;
use crate::sys::file::{Buffers, Position};
use crate::sys::{Errno, Result, UserPtr, socket};

/// write, send and sendto from the given byte on.
#[inline]
pub(crate) fn send_bytes(attachment: &Locked, op: OpRef, done: usize) -> Result<usize> {
    let buf = op.buf.get().skip(done);
    let len = op.len.get() as usize - done;
    if op.kind.get() == Kind::Write {
        if !attachment.class.get().is_socket() {
            return write_file(attachment, Buffers::One { buf, len }, Position::OWN);
        }
        return socket::send(attachment.fd(), buf, len, 0, UserPtr::NULL, 0);
    }
    let addrlen = op.addrlen.get().addr();
    socket::send(attachment.fd(), buf, len, connection::flags_of_part(op, done), op.addr.get(), addrlen)
}

/// writev and sendmsg from the given byte on.
pub(crate) fn send_buffers(attachment: &Locked, op: OpRef, done: usize) -> Result<usize> {
    let fd = attachment.fd();
    if op.kind.get() == Kind::Sendmsg {
        if done == 0 {
            return socket::sendmsg(fd, op.buf.get(), connection::flags_of_part(op, 0));
        }
        // Control data goes with the first byte.
        return message_iovecs(op).rest(done, |iov, n| {
            with_message(iov, n, |msg| socket::sendmsg(fd, msg, connection::flags_of_part(op, done)))
        });
    }
    let (iov, count) = (op.buf.get(), op.len.get() as usize);
    if count == 0 && attachment.class.get().is_socket() {
        return Ok(0);
    }
    let write = |iov: UserPtr, count: usize| {
        if attachment.class.get().is_stream_socket() {
            let r = with_message(iov, count, |msg| socket::sendmsg(fd, msg, 0));
            // writev of no bytes does not ask the socket.
            if r.is_err_and(|errno| !matches!(errno, Errno::EAGAIN | Errno::EFAULT | Errno::EINVAL))
                // SAFETY: the kernel has accepted the array before it asked the socket.
                && unsafe { Iovecs::accepted(iov, count) }.total() == 0
            {
                return Ok(0);
            }
            r
        } else {
            write_file(attachment, Buffers::Many { iov, count }, Position::OWN)
        }
    };
    if done == 0 {
        write(iov, count)
    } else {
        // SAFETY: the kernel has taken bytes from this array.
        unsafe { Iovecs::accepted(iov, count) }.rest(done, write)
    }
}
