//! One try of an operation: the system calls for it, none of which waits.

use super::buffers::{buffers, position, too_many, total};
use super::file_io::{read_file, write_file};
use super::send::{send_buffers, send_bytes};
use super::step::{Step, finish};
use super::{class, connection, disk, receive, transfer};
use crate::queue::op::{CONNECT_BEGUN, Kind, OpRef, TRIED};
use crate::state::attachment::Locked;
use crate::state::file_class::Class;
use crate::state::world;
use crate::sys::{Errno, Result, fd, process, socket};
use core::ffi::c_int;

use Step::{Done, Part, Retry, Wait};

/// Tries an operation that reads.
#[inline]
pub(crate) fn input(attachment: &Locked, op: OpRef) -> Step {
    match read_or_accept(attachment, op) {
        Wait if attachment.class.get() == Class::DatagramShut
            && op.kind.get() != Kind::Accept
            && !transfer::waits_for_destination(op) =>
        {
            Done(Ok(op.done.get() as usize))
        }
        step => step,
    }
}

#[inline]
fn read_or_accept(attachment: &Locked, op: OpRef) -> Step {
    match op.kind.get() {
        Kind::Read if attachment.class.get().is_socket() => receive::read(attachment, op),
        Kind::Accept => connection::accept(attachment, op),
        Kind::Recv => receive::recv(attachment, op),
        Kind::Recvmsg => receive::receive_message(attachment, op),
        Kind::Sendfile | Kind::Splice => transfer::attempt(attachment, op),
        _ if too_many(op) => Done(Err(Errno::EINVAL)),
        // Read, Readv.
        _ if is_disk_io(attachment, op) => disk::attempt(attachment, op),
        _ => read_or_retry(attachment, op),
    }
}

/// Reads a file that is no disk file. A device may say that there is something, give nothing, and say no more.
fn read_or_retry(attachment: &Locked, op: OpRef) -> Step {
    let mut credit = CREDIT;
    loop {
        match finish(read_file(attachment, buffers(op), position(op))) {
            Wait if attachment.class.get() == Class::File && is_ready(attachment, libc::POLLIN) => {}
            step => return step,
        }
        if credit == 0 {
            return Retry;
        }
        credit -= 1;
    }
}

/// Whether a read or write may wait for a disk.
fn is_disk_io(attachment: &Locked, op: OpRef) -> bool {
    let moves_nothing = op.len.get() == 0 && matches!(op.kind.get(), Kind::Read | Kind::Write);
    is_disk(attachment) && !moves_nothing
}

fn is_disk(attachment: &Locked) -> bool {
    matches!(attachment.class.get(), Class::Disk | Class::Special)
}

/// Tries an operation that writes.
#[inline]
pub(crate) fn output(attachment: &Locked, op: OpRef) -> Step {
    match op.kind.get() {
        Kind::Connect => return connection::connect(attachment, op),
        Kind::Sendfile | Kind::Splice => return transfer::attempt(attachment, op),
        Kind::Fsync | Kind::Fdatasync => return disk::sync(attachment, op),
        Kind::Shutdown => return Done(socket::shutdown(attachment.fd(), op.arg.get())),
        _ if too_many(op) => return Done(Err(Errno::EINVAL)),
        Kind::Write | Kind::Writev if is_disk_io(attachment, op) => {
            return disk::attempt(attachment, op);
        }
        _ => {}
    }
    if op.has(CONNECT_BEGUN) {
        if let Some(step) = connection::outcome(attachment, op) {
            return step;
        }
    }
    // While it waited the stream may have broken.
    if op.has(TRIED) && op.done.get() > 0 && connection::is_broken(attachment) {
        return Done(Ok(op.done.get() as usize));
    }
    if op.done.get() > 0 && op.done.get() as usize >= total(op) {
        // It waited for its connection only.
        return Done(Ok(op.done.get() as usize));
    }
    let mut credit = CREDIT;
    loop {
        let done = op.done.get() as usize;
        let r = match op.kind.get() {
            Kind::Writev | Kind::Sendmsg => send_buffers(attachment, op, done),
            _ => send_bytes(attachment, op, done),
        };
        match r {
            Ok(n) => {
                let done = done + n;
                if connection::is_sending_first(attachment, op) {
                    op.done.set(done as u32);
                    if let Some(step) = connection::outcome(attachment, op) {
                        return step;
                    }
                }
                // A message is taken whole or not at all; nothing may also have been all there was.
                if n == 0 || !attachment.class.get().is_byte_stream() || done >= total(op) {
                    return Done(Ok(done));
                }
                op.done.set(done as u32);
            }
            Err(Errno::EINTR) => {}
            // The kernel may say that there is room all the same, and then owes no edge: an AF_UNIX socket that sends
            // to an address is not told when the queue of the receiver has room, nor is a netlink socket, nor one that
            // is short of memory.
            Err(Errno::EAGAIN) if !is_ready(attachment, libc::POLLOUT) => return Wait,
            Err(Errno::EAGAIN) if credit == 0 => return Retry,
            Err(Errno::EAGAIN) => credit -= 1,
            Err(Errno::EINPROGRESS | Errno::EALREADY) => {
                op.mark(CONNECT_BEGUN);
                return Wait;
            }
            Err(errno) if done > 0 => return Part(done, errno),
            r => return Done(r),
        }
    }
}

/// How often a descriptor is believed that says that it is ready and then lets an operation do nothing. (It may have
/// become ready in between, once.)
const CREDIT: u32 = 3;

/// Whether poll(2) says that a call would not wait.
fn is_ready(attachment: &Locked, events: i16) -> bool {
    fd::poll_now(attachment.fd(), events).is_ok_and(|revents| revents & events != 0)
}

/// Tries an operation that stands outside the order of reads and writes.
pub(crate) fn unordered(attachment: &Locked, op: OpRef) -> Step {
    let fd = attachment.fd();
    let disk = is_disk(attachment);
    match op.kind.get() {
        Kind::Poll => match poll(attachment, op) {
            Ok(0) => Wait,
            r => finish(r),
        },
        Kind::Recv | Kind::Recvmsg if op.arg.get() & libc::MSG_OOB != 0 => {
            // A read ends at the mark of urgent data, also when its byte has been read.
            class::distrust(attachment, false);
            receive::receive_outside(fd, op)
        }
        Kind::Recvmsg => receive::receive_outside(fd, op),
        Kind::Waitid => wait_for_child(fd, op),
        Kind::Shutdown => Done(socket::shutdown(fd, op.arg.get())),
        Kind::Pread | Kind::Preadv | Kind::Pwrite | Kind::Pwritev if too_many(op) => Done(Err(Errno::EINVAL)),
        Kind::Pread | Kind::Preadv | Kind::Pwrite | Kind::Pwritev if disk => disk::attempt(attachment, op),
        Kind::Pread | Kind::Preadv => finish(read_file(attachment, buffers(op), position(op))),
        Kind::Pwrite | Kind::Pwritev => finish(write_file(attachment, buffers(op), position(op))),
        _ => receive::receive_outside(fd, op),
    }
}

/// What a poll gives now; 0 if there is nothing yet.
pub(crate) fn poll(attachment: &Locked, op: OpRef) -> Result<usize> {
    if attachment.class.get() == Class::Disk {
        // What poll(2) says of what cannot be waited for. (A file system that would ask a server is not asked.)
        const ALWAYS: c_int = (libc::POLLIN | libc::POLLRDNORM | libc::POLLOUT | libc::POLLWRNORM) as c_int;
        return Ok((op.arg.get() & ALWAYS) as usize);
    }
    let before = match world::world() {
        Some(world) if attachment.class.get().is_polled_apart() => {
            world.apart.told_before(attachment, polled_for(op) as i16)
        }
        _ => 0,
    };
    fd::poll_now(attachment.fd(), op.arg.get() as i16).map(|now| (now | before) as u16 as usize)
}

/// What it may give: what was asked for, and what always is.
pub(crate) fn polled_for(op: OpRef) -> u16 {
    op.arg.get() as u16 | (libc::POLLERR | libc::POLLHUP) as u16
}

/// waitid of a pidfd. With WNOHANG it never waits, and says so by a siginfo_t without a child.
fn wait_for_child(fd: c_int, op: OpRef) -> Step {
    let options = op.arg.get();
    if options & libc::WEXITED == 0 || options & !(libc::WEXITED | libc::WNOHANG | libc::WNOWAIT) != 0 {
        return Done(Err(Errno::EINVAL));
    }
    match process::wait_for_pidfd(fd, op.buf.get(), options) {
        Ok(false) if options & libc::WNOHANG == 0 => Wait,
        Err(errno) => finish(Err(errno)),
        Ok(_) => Done(Ok(0)),
    }
}
