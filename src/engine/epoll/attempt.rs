//! One try of an operation: the system calls for it, none of which waits.

use super::nonblock::{self, File};
use super::{class, connection, disk, transfer};
use crate::engine::iovecs::Iovecs;
use crate::queue::op::{CONNECT_BEGUN, Kind, LENGTH_BY_POINTER, LENGTH_NEGATIVE, OpRef, TRIED};
use crate::state::attachment::{Locked, NO_NOWAIT_READ, NO_NOWAIT_WRITE, READABLE};
use crate::state::file_class::Class;
use crate::state::{private, table};
use crate::sys::file::{self, Buffers, Position};
use crate::sys::{Errno, Result, UserPtr, fd, nature, process, socket};
use core::ffi::c_int;

/// The kernel refuses more buffers than this with EINVAL.
const MOST_IOVECS: usize = 1024;

/// What a try gave.
pub(crate) enum Step {
    /// The operation is finished.
    Done(Result<usize>),
    /// It is finished with the part that it has moved; the error that came after it is for the next operation of that
    /// direction (rule 2.4).
    Part(usize, Errno),
    /// Not yet. An edge comes when it is worth another try.
    Wait,
    /// Not yet, and no edge comes: try again after a while.
    Retry,
    /// It may wait for a disk: a worker has to do it.
    Work,
}

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
    let fd = attachment.fd();
    let len = op.len.get() as usize;
    match op.kind.get() {
        Kind::Read if attachment.class.get().is_socket() => {
            // read(2) of nothing is 0 at once; recv(2) of nothing would wait for data.
            if len == 0 {
                return Done(Ok(0));
            }
            let r = socket::recv(fd, op.buf.get(), len, 0, UserPtr::NULL, UserPtr::NULL);
            finish_read(attachment, len, r)
        }
        Kind::Accept => connection::accept(attachment, op),
        Kind::Recv if op.arg.get() & (libc::MSG_WAITALL | libc::MSG_PEEK) == 0 => {
            finish_read(attachment, len, receive(fd, op, 0))
        }
        Kind::Recv => receive_all(attachment, op),
        Kind::Recvmsg => receive_message(attachment, op),
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

/// Whether an array has more buffers than the kernel takes.
fn too_many(op: OpRef) -> bool {
    matches!(op.kind.get(), Kind::Readv | Kind::Writev | Kind::Preadv | Kind::Pwritev)
        && op.len.get() as usize > MOST_IOVECS
}

/// recv or recvfrom, from the given byte on.
#[inline]
fn receive(fd: c_int, op: OpRef, done: usize) -> Result<usize> {
    let (buf, len) = (op.buf.get().skip(done), op.len.get() as usize - done);
    with_length(op, |length| socket::recv(fd, buf, len, op.arg.get(), op.addr.get(), length))
}

/// Calls `call` with where the kernel finds the length of the operation's address, and leaves the length that the
/// address has: the caller's own variable, or a copy if it was read when the operation was queued.
#[inline]
pub(crate) fn with_length(op: OpRef, call: impl FnOnce(UserPtr) -> Result<usize>) -> Result<usize> {
    match op.length.get() {
        LENGTH_BY_POINTER => call(op.addrlen.get()),
        length => with_length_copied(op, length, call),
    }
}

#[cold]
fn with_length_copied(op: OpRef, length: u8, call: impl FnOnce(UserPtr) -> Result<usize>) -> Result<usize> {
    let mut copy: c_int = if length == LENGTH_NEGATIVE { -1 } else { length.into() };
    // SAFETY: it is used only during the call.
    let r = call(unsafe { UserPtr::new(&raw mut copy) });
    if r.is_ok() {
        // SAFETY: the caller's variable was read when the operation was queued, and is the library's since (rule 2.3).
        unsafe { *(op.addrlen.get().addr() as *mut c_int) = copy };
    }
    r
}

/// Ends a try that either did it all or did nothing.
#[inline]
fn finish(r: Result<usize>) -> Step {
    match r {
        Err(Errno::EAGAIN | Errno::EINTR) => Wait,
        r => Done(r),
    }
}

#[inline]
fn finish_read(attachment: &Locked, len: usize, r: Result<usize>) -> Step {
    match r {
        Ok(n) if n > 0 && n < len && attachment.class.get() == Class::PlainTcp => {
            attachment.clear(READABLE);
        }
        Err(Errno::EAGAIN) => attachment.found_nothing(),
        _ => {}
    }
    finish(r)
}

/// The buffers of an operation from its beginning on.
pub(crate) fn buffers(op: OpRef) -> Buffers {
    match op.kind.get() {
        Kind::Readv | Kind::Writev | Kind::Preadv | Kind::Pwritev => {
            Buffers::Many { iov: op.buf.get(), count: op.len.get() as usize }
        }
        _ => Buffers::One { buf: op.buf.get(), len: op.len.get() as usize },
    }
}

/// Where in the file an operation begins.
pub(crate) fn position(op: OpRef) -> Position {
    match op.kind.get() {
        Kind::Pread | Kind::Preadv | Kind::Pwrite | Kind::Pwritev => Position::at(op.addr.get().addr()),
        _ => Position::OWN,
    }
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

fn receive_message(attachment: &Locked, op: OpRef) -> Step {
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

/// The operation's msghdr, which the kernel has accepted.
fn message<'a>(op: OpRef) -> &'a libc::msghdr {
    // SAFETY: the kernel has read the msghdr in this operation, so it is there, and is the library's (rule 2.3).
    unsafe { &*(op.buf.get().addr() as *const libc::msghdr) }
}

/// The iovecs of the operation's msghdr.
fn message_iovecs<'a>(op: OpRef) -> Iovecs<'a> {
    let message = message(op);
    // SAFETY: the kernel has accepted the array with the same call.
    unsafe { Iovecs::accepted(UserPtr::new(message.msg_iov), message.msg_iovlen) }
}

/// Calls `call` with a msghdr that has the given iovecs and nothing else.
fn with_message<T>(iov: UserPtr, count: usize, call: impl FnOnce(UserPtr) -> T) -> T {
    // SAFETY: zero is a valid msghdr.
    let mut message: libc::msghdr = unsafe { core::mem::zeroed() };
    message.msg_iov = iov.addr() as *mut libc::iovec;
    message.msg_iovlen = count;
    // SAFETY: the msghdr is used only during the call.
    call(unsafe { UserPtr::new(&raw mut message) })
}

/// The open file through which the I/O of a FIFO or terminal goes, or nothing if there is none to be had.
fn own_file(attachment: &Locked) -> Option<c_int> {
    if attachment.class.get() != Class::Reopened {
        return None;
    }
    if attachment.own_fd().is_none() {
        // A FIFO cannot be opened for writing while nobody reads: then the descriptor itself gives EPIPE.
        let own = fd::reopen_nonblocking(attachment.fd()).ok()?;
        // What was opened of a terminal that had been hung up by then is another session's. (What was opened before is
        // hung up with the rest.)
        if nature::is_hung_up(attachment.fd()) {
            return None;
        }
        attachment.set_own_fd(Some(private::keep(own).ok()?));
    }
    attachment.own_fd().filter(|own| private::is_kept(*own))
}

/// Moves no bytes: what comes of it depends on the kind of file, and it may wait.
#[cold]
fn nothing(attachment: &Locked, call: impl FnOnce(c_int) -> Result<usize>) -> Result<usize> {
    match own_file(attachment) {
        Some(own) => call(own),
        None => nonblock::with(File::of(attachment), || call(attachment.fd())),
    }
}

/// Reads a file that is no socket. Where the kernel has no way to say for one call that it shall not wait, O_NONBLOCK
/// is set for its length (rule 4.5).
fn read_file(attachment: &Locked, to: Buffers, at: Position) -> Result<usize> {
    let fd = attachment.fd();
    if let Buffers::One { buf, len: 0 } = to
        && at == Position::OWN
    {
        return nothing(attachment, |fd| file::read_nothing(fd, buf));
    }
    if let Some(own) = own_file(attachment) {
        return file::read(own, to, at);
    }
    if !attachment.has(NO_NOWAIT_READ) {
        match file::read_nowait(fd, to, at) {
            Err(Errno::EOPNOTSUPP) => attachment.mark(NO_NOWAIT_READ),
            r => return r,
        }
    }
    nonblock::with(File::of(attachment), || file::read(fd, to, at))
}

/// The same for writing.
fn write_file(attachment: &Locked, from: Buffers, at: Position) -> Result<usize> {
    let fd = attachment.fd();
    if let Buffers::One { buf, len: 0 } = from
        && at == Position::OWN
    {
        return nothing(attachment, |fd| file::write_nothing(fd, buf));
    }
    if let Some(own) = own_file(attachment) {
        return file::write(own, from, at);
    }
    if !attachment.has(NO_NOWAIT_WRITE) {
        match file::write_nowait(fd, from, at) {
            Err(Errno::EOPNOTSUPP) => attachment.mark(NO_NOWAIT_WRITE),
            r => return r,
        }
    }
    nonblock::with(File::of(attachment), || file::write(fd, from, at))
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
    if op.has(CONNECT_BEGUN)
        && let Some(step) = connection::outcome(attachment, op)
    {
        return step;
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

/// How many bytes the operation moves in all. Some were moved already.
#[inline]
pub(crate) fn total(op: OpRef) -> usize {
    match op.kind.get() {
        Kind::Readv | Kind::Writev | Kind::Preadv | Kind::Pwritev => {
            // SAFETY: the kernel has just moved bytes to or from this array.
            unsafe { Iovecs::accepted(op.buf.get(), op.len.get() as usize) }.total()
        }
        Kind::Sendmsg => message_iovecs(op).total(),
        _ => op.len.get() as usize,
    }
}

/// write, send and sendto from the given byte on.
#[inline]
fn send_bytes(attachment: &Locked, op: OpRef, done: usize) -> Result<usize> {
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
fn send_buffers(attachment: &Locked, op: OpRef, done: usize) -> Result<usize> {
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
            class::distrust(attachment);
            receive_outside(fd, op)
        }
        Kind::Recvmsg => receive_outside(fd, op),
        Kind::Waitid => wait_for_child(fd, op),
        Kind::Shutdown => Done(socket::shutdown(fd, op.arg.get())),
        Kind::Pread | Kind::Preadv | Kind::Pwrite | Kind::Pwritev if too_many(op) => Done(Err(Errno::EINVAL)),
        Kind::Pread | Kind::Preadv | Kind::Pwrite | Kind::Pwritev if disk => disk::attempt(attachment, op),
        Kind::Pread | Kind::Preadv => finish(read_file(attachment, buffers(op), position(op))),
        Kind::Pwrite | Kind::Pwritev => finish(write_file(attachment, buffers(op), position(op))),
        _ => receive_outside(fd, op),
    }
}

/// What a poll gives now; 0 if there is nothing yet.
pub(crate) fn poll(attachment: &Locked, op: OpRef) -> Result<usize> {
    if attachment.class.get() == Class::Disk {
        // What poll(2) says of what cannot be waited for. (A file system that asks somebody else is not asked.)
        const ALWAYS: c_int = (libc::POLLIN | libc::POLLRDNORM | libc::POLLOUT | libc::POLLWRNORM) as c_int;
        return Ok((op.arg.get() & ALWAYS) as usize);
    }
    let before = match table::world() {
        Some(world) if attachment.class.get().is_polled_apart() => {
            world.watchdog.told_before(attachment, polled_for(op) as i16)
        }
        _ => 0,
    };
    fd::poll_now(attachment.fd(), op.arg.get() as i16).map(|now| (now | before) as u16 as usize)
}

/// What it may give: what was asked for, and what always is.
pub(crate) fn polled_for(op: OpRef) -> u16 {
    op.arg.get() as u16 | (libc::POLLERR | libc::POLLHUP) as u16
}

/// recv, recvfrom or recvmsg of what is not in the stream.
fn receive_outside(fd: c_int, op: OpRef) -> Step {
    finish(match op.kind.get() {
        Kind::Recvmsg => socket::recvmsg(fd, op.buf.get(), op.arg.get()),
        _ => receive(fd, op, 0),
    })
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
