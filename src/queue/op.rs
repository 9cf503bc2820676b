//! Operations: one node from the call that queues it until its event has been read.
//!
//! A node is, in turn: free (in a pool or in a lane's stock), parked (in a queue of its attachment) and ready (in a
//! lane, as the event). At any time exactly one of these owns it, and only a thread that holds the owner's lock (pool,
//! lane, attachment) touches it; between owners it belongs to the thread that moves it. Nodes are never given back to
//! the system, so a reference to one is always good.

use crate::sync::pool::{Pool, Pooled};
use crate::sys::{Errno, Result, UserPtr};
use core::cell::Cell;
use core::ffi::c_int;

/// Which call an operation stands for. Calls that differ only in arguments share a kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    /// read(2). Also what zeroed memory reads as.
    Read,
    /// readv(2): `buf` is the iovec array, `len` its length.
    Readv,
    /// recv(2), recvfrom(2).
    Recv,
    /// recvmsg(2): `buf` is the msghdr.
    Recvmsg,
    /// accept(2), accept4(2).
    Accept,
    /// write(2).
    Write,
    /// writev(2).
    Writev,
    /// send(2), sendto(2): `addrlen` is the length itself.
    Send,
    /// sendmsg(2).
    Sendmsg,
    /// connect(2): `addrlen` is the length itself.
    Connect,
    /// Readiness: `arg` holds the events, the result is revents.
    Poll,
    /// pread(2): `addr` is the offset, -1 the file's own position.
    Pread,
    /// preadv(2), likewise.
    Preadv,
    /// pwrite(2), likewise.
    Pwrite,
    /// pwritev(2), likewise.
    Pwritev,
    /// sendfile(2): `buf` is the number of the other descriptor, `addr` the offset in the source.
    Sendfile,
    /// splice(2): likewise; `addrlen` is the offset in the destination, `arg` the flags.
    Splice,
    /// fsync(2).
    Fsync,
    /// fdatasync(2).
    Fdatasync,
    /// shutdown(2): `arg` says how.
    Shutdown,
    /// waitid(2) of a pidfd: `buf` is the siginfo_t, `arg` holds the options.
    Waitid,
    /// A timer of a pipe.
    Timer,
    /// Not an operation: an event that the application posted.
    Posted,
    /// Not an operation: an error, in `arg`, that came after an operation had moved a part. It is first in its queue,
    /// for the next operation there (rule 2.4).
    Kept,
}

/// In which order an operation stands (rule 2.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// After the reads queued before it.
    Input,
    /// After the writes queued before it.
    Output,
    /// On its own.
    Unordered,
}

/// What a caller asks for.
#[derive(Clone, Copy)]
pub(crate) struct Request {
    pub(crate) kind: Kind,
    pub(crate) buf: UserPtr,
    /// Bytes or iovecs.
    pub(crate) len: usize,
    pub(crate) addr: UserPtr,
    pub(crate) addrlen: UserPtr,
    /// Flags, events, how, or options.
    pub(crate) arg: c_int,
    /// BY_POINTER, FROM_SOURCE.
    pub(crate) flags: u8,
    /// The length that an address has room for: `address_length`, or LENGTH_BY_POINTER.
    pub(crate) length: u8,
    /// The event's user pointer; `None`: the descriptor's.
    pub(crate) user: Option<usize>,
    /// How long it may take, in nanoseconds; 0: what the descriptor says.
    pub(crate) timeout: u64,
}

#[inline(always)]
fn order(kind: Kind, arg: c_int, flags: u8) -> Order {
    match kind {
        Kind::Recv | Kind::Recvmsg if arg & (libc::MSG_OOB | libc::MSG_ERRQUEUE) != 0 => Order::Unordered,
        Kind::Read | Kind::Readv | Kind::Recv | Kind::Recvmsg | Kind::Accept => Order::Input,
        Kind::Write | Kind::Writev | Kind::Send | Kind::Sendmsg | Kind::Connect => Order::Output,
        Kind::Sendfile | Kind::Splice if flags & FROM_SOURCE != 0 => Order::Input,
        Kind::Sendfile | Kind::Splice | Kind::Fsync | Kind::Fdatasync => Order::Output,
        Kind::Shutdown if arg == libc::SHUT_WR => Order::Output,
        Kind::Pread | Kind::Preadv | Kind::Pwrite | Kind::Pwritev => Order::Unordered,
        Kind::Shutdown | Kind::Waitid | Kind::Poll | Kind::Timer | Kind::Posted | Kind::Kept => {
            Order::Unordered
        }
    }
}

/// The kernel moves no more than this many bytes in one call (rule 2.4).
pub(crate) const MOST_BYTES: usize = 0x7fff_f000;

/// A read or other input that was queued behind a connect and waits for it (rule 2.5).
pub(crate) const AFTER_CONNECT: u8 = 1;
/// A connect that the kernel has begun.
pub(crate) const CONNECT_BEGUN: u8 = 2;
/// The kernel was asked once, and said "not yet".
pub(crate) const TRIED: u8 = 4;
/// It has a time limit: an entry among the deadlines of its pipe, or one that has just come up.
pub(crate) const TIMED: u8 = 8;
/// sendfile, splice: the offsets are addresses of the caller's variables.
pub(crate) const BY_POINTER: u8 = 16;
/// sendfile, splice: the attached descriptor is the source, the other one the destination.
pub(crate) const FROM_SOURCE: u8 = 32;
/// sendfile, splice: the other descriptor is the library's own, and may be watched.
pub(crate) const OWN_OTHER: u8 = 64;
/// The kernel is at work on it in a thread that waits for it: it cannot be ended (rule 4.8).
pub(crate) const IN_KERNEL: u8 = 128;

/// What has become of an operation while the kernel was at work on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// Nothing: it is waited for in its queue.
    Waited,
    /// It was cancelled: what it has not done by then, it does not go on with.
    Cancelled,
    /// Its attachment has gone: the thread that is at work on it hands out its event by itself.
    Orphan,
}

const CANCELLED: u8 = 0x40;
const ORPHAN: u8 = 0x80;
const PATIENCE: u8 = 0x0f;

/// `Op::length`: the length of the address is where `addrlen` points.
pub(crate) const LENGTH_BY_POINTER: u8 = u8::MAX;
/// It was negative, which the kernel refuses.
pub(crate) const LENGTH_NEGATIVE: u8 = LENGTH_BY_POINTER - 1;

/// The length of an address as `Op::length` keeps it. No address is longer than a sockaddr_storage, so more makes no
/// difference.
pub(crate) fn address_length(length: libc::socklen_t) -> u8 {
    const MOST: libc::socklen_t = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    if (length as i32) < 0 { LENGTH_NEGATIVE } else { length.min(MOST) as u8 }
}

/// `Op::deadline` of an operation that has no entry among the deadlines.
pub(crate) const NO_DEADLINE: u32 = u32::MAX;
/// The same, and its time is over.
pub(crate) const TIME_OVER: u32 = u32::MAX - 1;

/// An operation. One cache line.
#[repr(C, align(64))]
pub(crate) struct Op {
    pub(crate) next: Cell<Option<OpRef>>,
    pub(crate) user: Cell<usize>,
    pub(crate) buf: Cell<UserPtr>,
    pub(crate) addr: Cell<UserPtr>,
    pub(crate) addrlen: Cell<UserPtr>,
    /// Bytes moved so far; once ready, the event's result.
    pub(crate) done: Cell<u32>,
    /// Flags or events; once ready, the event's errno.
    pub(crate) arg: Cell<c_int>,
    /// Bytes (at most `MOST_BYTES`) or iovecs.
    pub(crate) len: Cell<u32>,
    /// Index of the pipe that gets the event.
    pub(crate) pipe: Cell<u32>,
    pub(crate) kind: Cell<Kind>,
    pub(crate) flags: Cell<u8>,
    /// What else has become of an IN_KERNEL one (`fate`), or how often another one found that the kernel was wrong to
    /// call its descriptor ready (`patience`).
    state: Cell<u8>,
    /// The length of the address, if it was read when the operation was queued.
    pub(crate) length: Cell<u8>,
    /// Index of its entry among the deadlines of its pipe. Unlike the rest, it is under their lock.
    pub(crate) deadline: Cell<u32>,
}

const _: () = assert!(size_of::<Op>() == 64);

/// Reference to an operation. Nodes live as long as the process.
pub(crate) type OpRef = &'static Op;

// SAFETY: the cells are touched only by the one owner that the module's head describes; owners hand nodes on under
// locks, which order the accesses.
unsafe impl Sync for Op {}

impl Request {
    /// An operation without anything.
    pub(crate) const NOTHING: Request = Request {
        kind: Kind::Read,
        buf: UserPtr::NULL,
        len: 0,
        addr: UserPtr::NULL,
        addrlen: UserPtr::NULL,
        arg: 0,
        flags: 0,
        length: LENGTH_BY_POINTER,
        user: None,
        timeout: 0,
    };

    #[inline(always)]
    pub(crate) fn order(&self) -> Order {
        order(self.kind, self.arg, self.flags)
    }
}

/// A result as an event has it.
#[derive(Clone, Copy)]
pub(crate) struct Completion {
    /// ioe_result
    pub(crate) value: u32,
    /// ioe_errno
    pub(crate) errno: c_int,
}

impl From<Result<usize>> for Completion {
    #[inline(always)]
    fn from(result: Result<usize>) -> Completion {
        match result {
            Ok(value) => Completion { value: value as u32, errno: 0 },
            Err(Errno(errno)) => Completion { value: u32::MAX, errno },
        }
    }
}

impl Completion {
    /// What an operation delivers that is ended early, and why: the part that it has moved, or -1 (rule 2.4).
    pub(crate) fn early(op: OpRef, why: Errno) -> Completion {
        match op.done.get() {
            0 => Err(why).into(),
            _ if matches!(op.kind.get(), Kind::Poll | Kind::Waitid) => Err(why).into(),
            part => Completion { value: part, errno: why.0 },
        }
    }
}

impl Op {
    /// Makes a free node an event that no operation of its own leads to.
    pub(crate) fn become_event(&self, user: usize, result: u32, errno: c_int) {
        self.kind.set(Kind::Posted);
        self.user.set(user);
        self.done.set(result);
        self.arg.set(errno);
    }

    /// Makes a free node one that keeps an error for the next operation of a queue.
    pub(crate) fn become_kept(&self, errno: c_int) {
        self.kind.set(Kind::Kept);
        self.flags.set(0);
        self.arg.set(errno);
        // No pipe has such an index: it is in the way of none.
        self.pipe.set(u32::MAX);
    }

    /// Makes it the event of its result.
    pub(crate) fn set_outcome(&self, completion: Completion) {
        self.done.set(completion.value);
        self.arg.set(completion.errno);
    }

    /// What has become of it while the kernel was at work on it.
    pub(crate) fn fate(&self) -> Fate {
        match self.state.get() & (ORPHAN | CANCELLED) {
            0 => Fate::Waited,
            CANCELLED => Fate::Cancelled,
            _ => Fate::Orphan,
        }
    }

    pub(crate) fn set_fate(&self, fate: Fate) {
        self.state.set(match fate {
            Fate::Waited => 0,
            Fate::Cancelled => CANCELLED,
            Fate::Orphan => ORPHAN,
        });
    }

    /// How often it has had to be tried again after a pause, up to `most`; counts one more.
    pub(crate) fn lose_patience(&self, most: u8) -> u8 {
        let tries = self.state.get() & PATIENCE;
        self.state.set(self.state.get() & !PATIENCE | (tries + 1).min(most));
        tries
    }

    /// Takes the request over. The caller owns the node.
    #[inline]
    pub(crate) fn fill(&self, request: &Request, user: usize, pipe: u32) {
        self.next.set(None);
        self.user.set(request.user.unwrap_or(user));
        self.state.set(0);
        self.length.set(request.length);
        self.buf.set(request.buf);
        self.addr.set(request.addr);
        self.addrlen.set(request.addrlen);
        self.len.set(request.len.min(MOST_BYTES) as u32);
        self.done.set(0);
        self.arg.set(request.arg);
        self.pipe.set(pipe);
        self.kind.set(request.kind);
        self.flags.set(request.flags);
    }

    /// Whether the operation is sure to wait when others of its direction had to: it moves bytes, and whatever else the
    /// kernel could say against it comes only when there are some. Anything else (no bytes, flags, structs that the
    /// kernel reads first, another call than before) is asked for once before it waits.
    #[inline]
    pub(crate) fn waits_like_others(&self, is_socket: bool) -> bool {
        self.len.get() > 0
            && match self.kind.get() {
                Kind::Read | Kind::Write => true,
                Kind::Recv | Kind::Send => is_socket && self.arg.get() == 0 && self.addr.get().is_null(),
                _ => false,
            }
    }

    #[inline]
    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags.get() & flag != 0
    }

    #[inline]
    pub(crate) fn mark(&self, flag: u8) {
        self.flags.set(self.flags.get() | flag);
    }

    /// It will be given a deadline if it has to wait. This is said before the engine has it: a worker reads the flags
    /// without a lock, and from then on no thread changes those that it reads.
    pub(crate) fn expect_deadline(&self) {
        self.mark(TIMED);
        self.deadline.set(NO_DEADLINE);
    }

    pub(crate) fn unmark(&self, flags: u8) {
        self.flags.set(self.flags.get() & !flags);
    }

    pub(crate) fn order(&self) -> Order {
        order(self.kind.get(), self.arg.get(), self.flags.get())
    }

    /// Whether it asks for a connection to be made.
    pub(crate) fn asks_for_connection(&self) -> bool {
        match self.kind.get() {
            Kind::Connect => true,
            Kind::Send | Kind::Sendmsg => self.arg.get() & libc::MSG_FASTOPEN != 0,
            _ => false,
        }
    }

    /// Whether it can still be ended early (rule 4.8).
    pub(crate) fn may_be_ended(&self) -> bool {
        !self.has(IN_KERNEL)
    }

    /// Whether it holds more than its node: a time limit, a descriptor.
    #[inline]
    pub(crate) fn holds_more(&self) -> bool {
        self.flags.get() & (TIMED | OWN_OTHER) != 0
    }
}

// SAFETY: all fields are valid when zeroed: null, zero, `None`, `Kind::Read`.
unsafe impl Pooled for Op {
    fn link(&self) -> &Cell<Option<OpRef>> {
        &self.next
    }
}

/// Where nodes come from.
pub(crate) type Ops = Pool<Op>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urgent_data_and_error_reports_stand_outside_the_order_of_reads() {
        assert_eq!(order(Kind::Recv, 0, 0), Order::Input);
        assert_eq!(order(Kind::Recv, libc::MSG_OOB, 0), Order::Unordered);
        assert_eq!(order(Kind::Recvmsg, libc::MSG_ERRQUEUE, 0), Order::Unordered);
        assert_eq!(order(Kind::Connect, 0, 0), Order::Output);
    }

    #[test]
    fn a_splice_stands_where_its_owner_says() {
        assert_eq!(order(Kind::Splice, 0, 0), Order::Output);
        assert_eq!(order(Kind::Sendfile, 0, FROM_SOURCE), Order::Input);
        assert_eq!(order(Kind::Shutdown, libc::SHUT_WR, 0), Order::Output);
        assert_eq!(order(Kind::Shutdown, libc::SHUT_RDWR, 0), Order::Unordered);
    }
}
