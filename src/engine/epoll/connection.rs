//! One try of what begins a connection: accept, connect, and a send that connects first (MSG_FASTOPEN).

use super::buffers::with_length;
use super::class;
use super::nonblock::{self, File};
use super::step::Step;
use crate::engine::release;
use crate::queue::op::{CONNECT_BEGUN, OpRef};
use crate::state::attachment::{Attachment, Inside, Locked};
use crate::state::file_class::Class;
use crate::state::slot::Slot;
use crate::state::table;
use crate::sys::{Errno, Result, errno, fd, socket};
use core::ffi::c_int;

use Step::{Done, Retry, Wait};

/// Takes a connection.
pub(crate) fn accept(attachment: &Locked, op: OpRef) -> Step {
    match accept_now(attachment, op) {
        Err(Errno::EAGAIN) => {}
        // A signal, or a connection that is gone.
        Err(Errno::EINTR) => return Retry,
        r => return Done(r),
    }
    if !is_shut(attachment) {
        return Wait;
    }
    // One may have come before it was shut down; none comes after that.
    match accept_now(attachment, op) {
        Err(Errno::EAGAIN) => Done(Err(Errno::EINVAL)),
        Err(Errno::EINTR) => Retry,
        r => Done(r),
    }
}

/// Why `accept_at_once` has taken no connection.
pub(crate) enum NotAtOnce {
    /// There is none.
    Nothing,
    /// The kernel has told an error.
    Failed(Errno),
    /// That is for the slow path to find out; nothing was done.
    Unknown,
}

/// Takes a connection for an accept that waits in the slot, or could. The thread holds the attachment, by its lock or
/// by the bias.
pub(crate) fn accept_at_once(attachment: &Inside, slot: Slot) -> core::result::Result<usize, NotAtOnce> {
    let fd = attachment.fd();
    let identity = table::attached(fd).map_or(-1, Attachment::identity);
    if identity < 0 {
        // The slow path asks for it.
        return Err(NotAtOnce::Unknown);
    }
    let (addr, addrlen, flags) = slot.accept_arguments();
    match nonblock::with(File { fd, identity }, || socket::accept(fd, addr, addrlen, flags)) {
        Ok(number) => {
            if number as c_int != fd && table::attached(number as c_int).is_some() {
                forget_stale(number as c_int);
            }
            Ok(number)
        }
        Err(Errno::EAGAIN) => Err(NotAtOnce::Nothing),
        Err(Errno::EINTR) => Err(NotAtOnce::Unknown),
        Err(errno) => Err(NotAtOnce::Failed(errno)),
    }
}

/// The kernel has given out the number of a descriptor that was closed behind the library's back (rule 4.4). A thread
/// that has the bias may keep it here: nothing that is done waits for a thread that revokes it.
#[cold]
fn forget_stale(number: c_int) {
    let _errno = errno::Kept::new();
    release::forget_stale_attachment(number);
}

fn accept_now(attachment: &Locked, op: OpRef) -> Result<usize> {
    let fd = attachment.fd();
    nonblock::with(File::of(attachment), || {
        with_length(op, |length| socket::accept(fd, op.addr.get(), length, op.arg.get()))
    })
}

/// Whether an AF_UNIX listener was shut down: a call that waits gives EINVAL then, and one that does not wait gives
/// EAGAIN.
fn is_shut(attachment: &Locked) -> bool {
    let fd = attachment.fd();
    class::learn(attachment);
    !attachment.class.get().is_tcp()
        && fd::poll_now(fd, libc::POLLRDHUP).is_ok_and(|revents| revents & libc::POLLRDHUP != 0)
        && socket::is_unix(fd)
}

/// Begins a connection, or asks what has become of one: connect(2) on a socket that is connecting, whether for this
/// operation or from before, gives EALREADY, then once the outcome.
pub(crate) fn connect(attachment: &Locked, op: OpRef) -> Step {
    let fd = attachment.fd();
    let r =
        nonblock::with(File::of(attachment), || socket::connect(fd, op.addr.get(), op.addrlen.get().addr()));
    match r {
        Err(Errno::EINPROGRESS | Errno::EALREADY | Errno::EINTR) => {
            op.mark(CONNECT_BEGUN);
            Wait
        }
        Err(Errno(libc::EISCONN)) if op.has(CONNECT_BEGUN) => Done(Ok(0)),
        // The backlog of an AF_UNIX listener is full, and the kernel does not tell when it has room.
        Err(Errno::EAGAIN) => Retry,
        r => {
            if r.is_ok() && attachment.class.get().is_tcp() && socket::connects_late(fd) {
                attachment.class.set(Class::Deferred);
            }
            Done(r)
        }
    }
}

/// What has become of the connection that a send has begun: nothing if it is there. (The kernel may have taken bytes to
/// send them with the request for the connection: a call that waits does not return before it is known what became of
/// that.)
pub(crate) fn outcome(attachment: &Locked, op: OpRef) -> Option<Step> {
    let fd = attachment.fd();
    let revents = fd::poll_now(fd, libc::POLLOUT).unwrap_or(0);
    if revents & (libc::POLLERR | libc::POLLHUP) != 0 {
        let errno = socket::take_error(fd).unwrap_or(0);
        if errno != 0 {
            return Some(Done(Err(Errno(errno))));
        }
    }
    if revents == 0 {
        op.mark(CONNECT_BEGUN);
        return Some(Wait);
    }
    op.unmark(CONNECT_BEGUN);
    op.arg.set(op.arg.get() & !libc::MSG_FASTOPEN);
    if attachment.class.get() == Class::Deferred {
        attachment.class.set(Class::Tcp);
    }
    None
}

/// Whether a send has to ask for that, before it is tried, or after it has moved its first bytes.
pub(crate) fn is_sending_first(attachment: &Locked, op: OpRef) -> bool {
    op.has(CONNECT_BEGUN) || op.asks_for_connection() || attachment.class.get() == Class::Deferred
}

/// Whether an operation connects, so that what reads has to wait for it (rule 2.5).
pub(crate) fn connects(op: OpRef) -> bool {
    op.asks_for_connection() || op.has(CONNECT_BEGUN)
}

/// The flags for the next part of a send. A connection is begun with the first one, and a notification of MSG_ZEROCOPY
/// is asked for with the first one only: so there is one for each operation, as for each blocking call. (The rest is
/// copied.)
pub(crate) fn flags_of_part(op: OpRef, done: usize) -> i32 {
    let mut flags = op.arg.get();
    if done > 0 {
        flags &= !(libc::MSG_ZEROCOPY | libc::MSG_FASTOPEN);
    }
    if op.has(CONNECT_BEGUN) {
        flags &= !libc::MSG_FASTOPEN;
    }
    flags
}

/// Whether another part of an operation would meet an error that ends the stream: then the part that was moved is all,
/// and the error is left to the next call, whichever that is (rule 2.4). What has arrived before the error can still be
/// read.
pub(crate) fn is_broken(attachment: &Locked) -> bool {
    attachment.class.get().is_socket() && socket::is_broken(attachment.fd())
}

/// The class a socket of messages has once it is shut down for reading.
pub(crate) fn shut_reads(attachment: &Locked) {
    if attachment.class.get() == Class::Datagram {
        attachment.class.set(Class::DatagramShut);
    }
}
