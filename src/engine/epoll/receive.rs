//! One try of what reads from a socket.

use super::buffers::{message, message_iovecs, with_length, with_message};
use super::step::{Step, finish};
use super::{class, connection};
use crate::queue::op::{Kind, OpRef};
use crate::state::attachment::{Locked, READABLE};
use crate::state::file_class::Class;
use crate::sys::{Errno, Result, UserPtr, socket};
use core::ffi::c_int;

use Step::{Done, Part, Wait};

/// read(2) of a socket.
#[inline]
pub(crate) fn read(attachment: &Locked, op: OpRef) -> Step {
    let len = op.len.get() as usize;
    // read(2) of nothing is 0 at once; recv(2) of nothing would wait for data.
    if len == 0 {
        return Done(Ok(0));
    }
    let r = socket::recv(attachment.fd(), op.buf.get(), len, 0, UserPtr::NULL, UserPtr::NULL);
    finish_read(attachment, len, r)
}

/// recv(2) or recvfrom(2).
#[inline]
pub(crate) fn recv(attachment: &Locked, op: OpRef) -> Step {
    if op.arg.get() & (libc::MSG_WAITALL | libc::MSG_PEEK) != 0 {
        return receive_all(attachment, op);
    }
    finish_read(attachment, op.len.get() as usize, receive(attachment.fd(), op, 0))
}

/// recv or recvfrom, from the given byte on.
#[inline]
fn receive(fd: c_int, op: OpRef, done: usize) -> Result<usize> {
    let (buf, len) = (op.buf.get().skip(done), op.len.get() as usize - done);
    with_length(op, |length| socket::recv(fd, buf, len, op.arg.get(), op.addr.get(), length))
}

#[inline]
fn finish_read(attachment: &Locked, len: usize, r: Result<usize>) -> Step {
    match r {
        Ok(n) if n > 0 && n < len && attachment.class.get() == Class::PlainTcp => {
            attachment.clear(READABLE);
        }
        Ok(n) => attachment.has_read(n),
        Err(Errno::EAGAIN) => {
            attachment.found_nothing();
        }
        _ => {}
    }
    finish(r)
}

/// recv with MSG_WAITALL or MSG_PEEK, which the kernel does not carry through without waiting.
fn receive_all(attachment: &Locked, op: OpRef) -> Step {
    let fd = attachment.fd();
    let len = op.len.get() as usize;
    let flags = op.arg.get();
    let all = flags & libc::MSG_WAITALL != 0 && waits_for_all(attachment);
    loop {
        let done = op.done.get() as usize;
        if done > 0 && nothing_is_left(attachment) {
            return Done(Ok(done));
        }
        match receive(fd, op, done) {
            Ok(n) if !all || n == 0 || done + n >= len => return Done(Ok(done + n)),
            // Looking does not take the data away, so it is looked at again when there is more, or no more to come.
            Ok(n) if flags & libc::MSG_PEEK != 0 => {
                class::learn(attachment);
                return if attachment.class.get().is_tcp() { Wait } else { Done(Ok(n)) };
            }
            Ok(n) => op.done.set((done + n) as u32),
            Err(Errno::EAGAIN | Errno::EINTR) => return Wait,
            Err(errno) if done > 0 => return Part(done, errno),
            r => return Done(r),
        }
    }
}

/// Whether the stream is broken off, and all that had arrived before has been read.
fn nothing_is_left(attachment: &Locked) -> bool {
    connection::is_broken(attachment) && socket::bytes_to_read(attachment.fd()) == Ok(0)
}

/// Whether MSG_WAITALL means anything.
fn waits_for_all(attachment: &Locked) -> bool {
    attachment.class.get().is_stream_socket()
}

pub(crate) fn receive_message(attachment: &Locked, op: OpRef) -> Step {
    let fd = attachment.fd();
    let flags = op.arg.get();
    if flags & libc::MSG_WAITALL == 0 || flags & libc::MSG_PEEK != 0 || !waits_for_all(attachment) {
        return finish(socket::recvmsg(fd, op.buf.get(), flags));
    }
    loop {
        let done = op.done.get() as usize;
        // Descriptors that are passed come with the first part, and end the message there, or begin another.
        if done > 0 && nothing_is_left(attachment) {
            return Done(Ok(done));
        }
        if done > 0 && socket::is_unix(fd) {
            match control_follows(fd) {
                Err(errno) => return Part(done, errno),
                Ok(follows) if follows || has_control(op) => return Done(Ok(done)),
                Ok(_) => {}
            }
        }
        let r = if done == 0 {
            socket::recvmsg(fd, op.buf.get(), flags)
        } else {
            message_iovecs(op)
                .rest(done, |iov, n| with_message(iov, n, |msg| socket::recvmsg(fd, msg, flags)))
        };
        match r {
            Ok(0) => return Done(Ok(done)),
            Ok(n) => {
                let done = done + n;
                op.done.set(done as u32);
                if done >= message_iovecs(op).total() {
                    return Done(Ok(done));
                }
            }
            Err(Errno::EAGAIN | Errno::EINTR) => return Wait,
            Err(errno) if done > 0 => return Part(done, errno),
            r => return Done(r),
        }
    }
}

/// Whether the first part of a message came with control data, or would have.
fn has_control(op: OpRef) -> bool {
    let message = message(op);
    message.msg_controllen > 0 || message.msg_flags & libc::MSG_CTRUNC != 0
}

/// Whether control data come with the next part. Looking without room for them says so, and takes no data away; but it
/// takes an error, which is the caller's to keep.
fn control_follows(fd: c_int) -> Result<bool> {
    let mut byte = 0u8;
    let mut iov = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    // SAFETY: the iovec is used only during the call.
    with_message(unsafe { UserPtr::new(&raw mut iov) }, 1, |looked| {
        match socket::recvmsg(fd, looked, libc::MSG_PEEK) {
            Ok(_) => {
                // SAFETY: `with_message` has made it; the kernel has written to it.
                let looked = unsafe { &*(looked.addr() as *const libc::msghdr) };
                Ok(looked.msg_flags & libc::MSG_CTRUNC != 0)
            }
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(false),
            Err(errno) => Err(errno),
        }
    })
}

/// recv, recvfrom or recvmsg of what is not in the stream.
pub(crate) fn receive_outside(fd: c_int, op: OpRef) -> Step {
    finish(match op.kind.get() {
        Kind::Recvmsg => socket::recvmsg(fd, op.buf.get(), op.arg.get()),
        _ => receive(fd, op, 0),
    })
}
