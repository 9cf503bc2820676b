//! Operations: one node from the call that queues it until its event has been read.
//!
//! A node is, in turn: free (in a pool or in a lane's stock), parked (in a queue of its attachment) and ready (in a
//! lane, as the event). At any time exactly one of these owns it, and only who holds the owner's lock (pool, lane,
//! attachment) touches it; between owners it belongs to the thread that moves it. Nodes are never given back to the
//! system, so a reference to one is always good.

use super::pool::{Pool, Pooled};
use crate::sys::UserPtr;
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
    /// Not an operation: an event that the application posted.
    Posted,
}

/// In which order an operation stands (rule 2.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// After the reads queued before it.
    Input,
    /// After the writes queued before it.
    Output,
    /// On its own.
    Alone,
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
    /// Flags or events.
    pub(crate) arg: c_int,
}

#[inline(always)]
fn order(kind: Kind, arg: c_int) -> Order {
    match kind {
        Kind::Recv | Kind::Recvmsg if arg & (libc::MSG_OOB | libc::MSG_ERRQUEUE) != 0 => Order::Alone,
        Kind::Read | Kind::Readv | Kind::Recv | Kind::Recvmsg | Kind::Accept => Order::Input,
        Kind::Write | Kind::Writev | Kind::Send | Kind::Sendmsg | Kind::Connect => Order::Output,
        Kind::Poll | Kind::Posted => Order::Alone,
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
}

const _: () = assert!(size_of::<Op>() == 64);

/// Reference to an operation. Nodes live as long as the process.
pub(crate) type OpRef = &'static Op;

// SAFETY: the cells are touched only by the one owner that the module's head describes; owners hand nodes on under
// locks, which order the accesses.
unsafe impl Sync for Op {}

impl Request {
    #[inline(always)]
    pub(crate) fn order(&self) -> Order {
        order(self.kind, self.arg)
    }
}

impl Op {
    /// Takes the request over. The caller owns the node.
    #[inline]
    pub(crate) fn fill(&self, request: &Request, user: usize, pipe: u32) {
        self.next.set(None);
        self.user.set(user);
        self.buf.set(request.buf);
        self.addr.set(request.addr);
        self.addrlen.set(request.addrlen);
        self.len.set(request.len.min(MOST_BYTES) as u32);
        self.done.set(0);
        self.arg.set(request.arg);
        self.pipe.set(pipe);
        self.kind.set(request.kind);
        self.flags.set(0);
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
}

// SAFETY: all fields are valid when zeroed: null, zero, `None`, `Kind::Read`.
unsafe impl Pooled for Op {
    fn link(&self) -> &Cell<Option<OpRef>> {
        &self.next
    }
}

/// Where nodes come from.
pub(crate) type Ops = Pool<Op>;

/// A first-in first-out list of operations, in one word: the last node, whose `next` is the first, with the lowest bit
/// set.
///
/// While it is empty it can keep a spare node for the next operation, without that bit: most descriptors have one read
/// outstanding most of the time, and its node need not go back and forth.
#[derive(Default)]
pub(crate) struct Queue {
    word: Cell<usize>,
}

/// The word holds the last node of a list, not a spare one.
const LISTED: usize = 1;

impl Queue {
    #[inline(always)]
    fn node(address: usize) -> Option<OpRef> {
        // SAFETY: it is 0, or the address of a node (made by `set` or `keep_as_spare`), which lives for ever.
        unsafe { (address as *const Op).as_ref() }
    }

    #[inline(always)]
    pub(crate) fn last(&self) -> Option<OpRef> {
        let word = self.word.get();
        if word & LISTED != 0 { Self::node(word - LISTED) } else { None }
    }

    #[inline(always)]
    fn set(&self, last: OpRef) {
        self.word.set(core::ptr::from_ref(last) as usize | LISTED);
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.word.get() & LISTED == 0
    }

    /// Whether this queue and another are both empty.
    #[inline(always)]
    pub(crate) fn both_empty(&self, other: &Queue) -> bool {
        (self.word.get() | other.word.get()) & LISTED == 0
    }

    /// The spare node, if the queue has one (and therefore is empty). `use_spare` queues it.
    #[inline(always)]
    pub(crate) fn spare(&self) -> Option<OpRef> {
        let word = self.word.get();
        if word & LISTED == 0 { Self::node(word) } else { None }
    }

    /// Queues the spare node.
    #[inline(always)]
    pub(crate) fn use_spare(&self, spare: OpRef) {
        spare.next.set(Some(spare));
        self.set(spare);
    }

    /// Takes the spare node away.
    pub(crate) fn take_spare(&self) -> Option<OpRef> {
        let spare = self.spare()?;
        self.word.set(0);
        Some(spare)
    }

    /// The first, if it is the only one.
    #[inline(always)]
    pub(crate) fn only(&self) -> Option<OpRef> {
        let last = self.last()?;
        last.next.get().is_some_and(|first| core::ptr::eq(first, last)).then_some(last)
    }

    /// Takes the only one out of the list and keeps it as the spare node.
    #[inline(always)]
    pub(crate) fn keep_as_spare(&self, only: OpRef) {
        self.word.set(core::ptr::from_ref(only) as usize);
    }

    #[inline]
    pub(crate) fn first(&self) -> Option<OpRef> {
        self.last()?.next.get()
    }

    /// The queue has no spare node.
    #[inline]
    pub(crate) fn push(&self, op: OpRef) {
        debug_assert!(self.spare().is_none());
        match self.last() {
            None => op.next.set(Some(op)),
            Some(last) => {
                op.next.set(last.next.get());
                last.next.set(Some(op));
            }
        }
        self.set(op);
    }

    #[inline]
    pub(crate) fn pop(&self) -> Option<OpRef> {
        let last = self.last()?;
        let first = last.next.get()?;
        if core::ptr::eq(first, last) {
            self.word.set(0);
        } else {
            last.next.set(first.next.get());
        }
        first.next.set(None);
        Some(first)
    }

    /// Takes everything out.
    pub(crate) fn take(&self) -> Queue {
        let all = Queue::default();
        if let Some(last) = self.last() {
            all.set(last);
            self.word.set(0);
        }
        all
    }

    /// Takes out, in order, the operations for which `pick` says true.
    pub(crate) fn take_out(&self, mut pick: impl FnMut(OpRef) -> bool, mut each: impl FnMut(OpRef)) {
        let (kept, taken) = (Queue::default(), Queue::default());
        while let Some(op) = self.pop() {
            if pick(op) { &taken } else { &kept }.push(op);
        }
        if let Some(last) = kept.last() {
            self.set(last);
        }
        while let Some(op) = taken.pop() {
            each(op);
        }
    }

    pub(crate) fn any(&self, test: impl Fn(OpRef) -> bool) -> bool {
        let Some(last) = self.last() else { return false };
        let mut at = last.next.get();
        while let Some(op) = at {
            if test(op) {
                return true;
            }
            if core::ptr::eq(op, last) {
                return false;
            }
            at = op.next.get();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(queue: &Queue) -> Vec<usize> {
        let mut all = Vec::new();
        while let Some(op) = queue.pop() {
            all.push(op.user.get());
        }
        all
    }

    fn queue_of(pool: &Ops, n: usize) -> Queue {
        let queue = Queue::default();
        for user in 0..n {
            let op = pool.take().unwrap();
            op.user.set(user);
            queue.push(op);
        }
        queue
    }

    #[test]
    fn a_queue_is_first_in_first_out() {
        let pool = Ops::new();
        assert_eq!(numbers(&queue_of(&pool, 0)), []);
        assert_eq!(numbers(&queue_of(&pool, 1)), [0]);
        assert_eq!(numbers(&queue_of(&pool, 4)), [0, 1, 2, 3]);
    }

    #[test]
    fn taking_out_keeps_the_order_of_both_parts() {
        let pool = Ops::new();
        let queue = queue_of(&pool, 6);
        let mut taken = Vec::new();
        queue.take_out(|op| op.user.get() % 2 == 0, |op| taken.push(op.user.get()));
        assert_eq!(taken, [0, 2, 4]);
        assert!(queue.any(|op| op.user.get() == 5));
        assert!(!queue.any(|op| op.user.get() == 4));
        assert_eq!(numbers(&queue), [1, 3, 5]);
    }

    #[test]
    fn an_empty_queue_can_keep_a_spare_node() {
        let pool = Ops::new();
        let queue = queue_of(&pool, 1);
        let op = queue.only().unwrap();
        queue.keep_as_spare(op);
        assert!(
            queue.is_empty() && queue.first().is_none() && queue.only().is_none() && queue.pop().is_none()
        );
        queue.take_out(|_| true, |_| unreachable!());
        assert!(core::ptr::eq(queue.spare().unwrap(), op));
        queue.use_spare(op);
        assert!(queue.spare().is_none() && core::ptr::eq(queue.only().unwrap(), op));
        queue.push(pool.take().unwrap());
        assert!(queue.only().is_none());
        let queue = queue_of(&pool, 1);
        queue.keep_as_spare(queue.only().unwrap());
        assert!(queue.take_spare().is_some() && queue.take_spare().is_none() && queue.is_empty());
    }

    #[test]
    fn urgent_data_and_error_reports_stand_outside_the_order_of_reads() {
        assert_eq!(order(Kind::Recv, 0), Order::Input);
        assert_eq!(order(Kind::Recv, libc::MSG_OOB), Order::Alone);
        assert_eq!(order(Kind::Recvmsg, libc::MSG_ERRQUEUE), Order::Alone);
        assert_eq!(order(Kind::Connect, 0), Order::Output);
    }
}
