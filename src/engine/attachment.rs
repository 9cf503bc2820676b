//! Attachments: what ties a descriptor to its pipe, and the operations that wait on it.

use super::lane::LISTED;
use super::lock::RawLock;
use super::op::{Kind, OpRef, Order, Queue, Request, TIMED};
use super::pipe::Pipe;
use super::pool::Pooled;
use super::table::{self, Entry};
use super::visit::{self, Alone};
use crate::sys::{UserPtr, race};
use core::cell::{Cell, UnsafeCell};
use core::ffi::c_int;
use core::marker::PhantomData;
use core::ops::Deref;
use core::sync::atomic::{AtomicI32, Ordering::Relaxed};

/// What kind of file an attached descriptor is, as far as the way to its I/O differs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Class {
    /// Pollable, none of the others: eventfd, timerfd, signalfd, pidfd, inotify, pty masters, devices, ...
    File,
    /// A pipe without a name.
    Pipe,
    /// Of perf_event_open(2).
    Perf,
    /// A FIFO or terminal: I/O goes through an open file of the library's own.
    Reopened,
    /// A regular file, block device or anything else that is always ready: its I/O may wait for a disk.
    Disk,
    /// A regular file by its type that can be waited for with poll(2) all the same, of /proc, /sys and the like: it is,
    /// apart from others, and then a worker does its I/O.
    Special,
    /// A socket of messages.
    Datagram = SOCKET,
    /// The same, shut down for reading: a call that waits gives 0 when there are none, and one that does not wait gives
    /// EAGAIN.
    DatagramShut,
    /// A stream socket; TCP too, once it is known that no short read proves anything.
    Stream,
    /// TCP that connects with its first write (TCP_FASTOPEN_CONNECT).
    Deferred,
    /// TCP on which a short read will prove that nothing is left, once a read has found nothing (`PlainTcp`).
    Tcp,
    /// The same, and that has happened since the engine has watched for urgent data: so none came unseen.
    PlainTcp,
}

/// The classes from here on are sockets.
const SOCKET: u8 = 8;

impl Class {
    #[inline]
    pub(crate) fn is_socket(self) -> bool {
        self as u8 & SOCKET != 0
    }

    #[inline]
    pub(crate) fn is_tcp(self) -> bool {
        matches!(self, Class::Tcp | Class::PlainTcp)
    }

    /// A socket that moves a stream of bytes.
    #[inline]
    pub(crate) fn is_stream_socket(self) -> bool {
        self as u8 >= Class::Stream as u8
    }

    /// Whether it is one of those that tell of a thing only once, whoever looks. An epoll instance that is itself
    /// looked at would look twice. So these are in none: the watch polls them.
    pub(crate) fn is_polled_apart(self) -> bool {
        matches!(self, Class::Perf | Class::Special)
    }

    /// Whether a write may be taken in parts.
    #[inline]
    pub(crate) fn is_byte_stream(self) -> bool {
        !matches!(self, Class::Datagram | Class::DatagramShut)
    }
}

/// A read may succeed: it is worth a try. Without this bit an edge comes when it may.
pub(crate) const READABLE: u8 = 1;
/// The same for writes.
pub(crate) const WRITABLE: u8 = 2;

/// In `ready`, for the short ways: a socket that one pipe watches, writable, with nothing in `output` and `alone`. (With a
/// TIME_LIMIT too: what is finished at once needs no deadline.)
pub(crate) const QUIET: u8 = 4;
/// With QUIET: one plain read waits, and nothing else. It has no node: see `Locked::park`.
pub(crate) const ONE_READ: u8 = 8;
/// With QUIET: the descriptor has IOEVENT_INLINE, which has short ways of its own.
pub(crate) const QUIET_INLINE: u8 = 16;
/// With QUIET: nothing waits, and one plain read may be parked.
pub(crate) const PARKABLE: u8 = 32;
/// The first operation of `input` is to be tried again after a pause; until then edges say nothing (`epoll::alarm`).
pub(crate) const PAUSED_INPUT: u8 = 64;
/// The same for `output`.
pub(crate) const PAUSED_OUTPUT: u8 = 128;
/// What only the short ways know of.
const SHORT: u8 = QUIET | ONE_READ | QUIET_INLINE | PARKABLE;

/// The kernel has no call-by-call way not to wait for reads of this file.
pub(crate) const NO_NOWAIT_READ: u8 = 1;
/// The same for writes.
pub(crate) const NO_NOWAIT_WRITE: u8 = 2;
/// Operations of more than one pipe may be outstanding, and more than one pipe's engine may watch the descriptor.
pub(crate) const SEVERAL_PIPES: u8 = 4;
/// IOEVENT_INLINE (rule 2.8).
pub(crate) const INLINE: u8 = 8;
/// IOEVENT_POLLONLY (rule 2.11).
pub(crate) const POLL_ONLY: u8 = 16;
/// The descriptor has a time limit for its operations, which `table::timeout` knows (rule 4.6).
pub(crate) const TIME_LIMIT: u8 = 32;
/// The engine is asked to tell when it can be written to, too.
const OUTPUT_WATCHED: u8 = 64;
/// A node is reserved in the pool, for a read that is parked without one.
const RESERVED: u8 = 128;

/// In the generation of `from_word`: the edge is of the other descriptor of a sendfile or splice.
pub(crate) const OTHER_SIDE: u32 = 1 << 21;

/// What the lock of an attachment guards.
pub(crate) struct Inside {
    pub(crate) class: Cell<Class>,
    /// READABLE, WRITABLE; and SHORT, which follows from the rest: `unsettle` clears it, the short ways keep it true, `settle`
    /// finds out whether it holds.
    pub(crate) ready: Cell<u8>,
    pub(crate) flags: Cell<u8>,
    /// The descriptor; -1 while the node is free.
    pub(crate) fd: Cell<c_int>,
    /// Counted up for each descriptor that uses the node: tells its events from those of earlier ones. Below OTHER_SIDE.
    pub(crate) generation: Cell<u32>,
    /// Where its newest event was put, and as which number (see `Pipe::complete`).
    pub(crate) newest_place: Cell<u8>,
    pub(crate) newest_number: Cell<u32>,
    pub(crate) user: Cell<usize>,
    pub(crate) pipe: Cell<Option<&'static Pipe>>,
    pub(crate) input: Queue,
    pub(crate) output: Queue,
    /// Operations that stand outside the order of reads and writes.
    pub(crate) alone: Queue,
}

/// An attachment. One cache line.
#[repr(align(64))]
pub(crate) struct Attachment {
    lock: RawLock,
    /// The library's own open file of a `Class::Reopened` while operations are outstanding, else -1; the identity of all other
    /// files. Used under the lock like the rest, and outside of `Inside` only because there is room for it
    /// beside the lock; so Relaxed.
    own_fd: AtomicI32,
    inside: UnsafeCell<Inside>,
}

const _: () = assert!(size_of::<Attachment>() == 64);

// SAFETY: `inside` is reached only through `Locked`, which holds the lock, and by the pool that has the node.
unsafe impl Sync for Attachment {}

// SAFETY: all fields are valid when zeroed: an unlocked lock, `Class::File`, empty queues, no pipe. A zeroed node is
// descriptor 0's only if the table says so, which it does not before `fd` is set.
unsafe impl Pooled for Attachment {
    fn link(&self) -> &Cell<Option<&'static Attachment>> {
        // SAFETY: the word of `user` is free while the node is; it is as wide as `Option<&_>`, which is null or an
        // address, and valid as both whatever it holds; the pool writes before it reads.
        unsafe { &*(&raw const (*self.inside.get()).user).cast() }
    }
}

/// An attachment whose lock is held.
pub(crate) struct Locked {
    node: &'static Attachment,
    /// The lock is of the thread that took it.
    here: PhantomData<*const ()>,
}

impl Drop for Locked {
    #[inline(always)]
    fn drop(&mut self) {
        self.node.lock.unlock();
    }
}

impl Deref for Locked {
    type Target = Inside;
    #[inline(always)]
    fn deref(&self) -> &Inside {
        // SAFETY: the lock is held, and all fields are cells: nobody has a unique reference.
        unsafe { &*self.node.inside.get() }
    }
}

impl Attachment {
    /// Locks, for the general ways.
    #[inline]
    pub(crate) fn lock(&'static self) -> Locked {
        visit::admit();
        let locked = self.lock_quietly();
        locked.unsettle();
        locked
    }

    /// What the lock guards, for a thread that goes alone.
    #[inline(always)]
    pub(crate) fn inside_alone<'a>(&'static self, _: &'a Alone) -> &'a Inside {
        // SAFETY: nobody else reaches it meanwhile, with or without the lock; and all fields are cells.
        unsafe { &*self.inside.get() }
    }

    /// Locks, for a thread that has been alone and goes on a general way. Nobody comes in between.
    pub(crate) fn lock_among_others(&'static self, alone: Alone) -> Locked {
        let locked = self.lock_quietly();
        drop(alone);
        locked
    }

    /// Locks, for the short ways.
    #[inline(always)]
    pub(crate) fn lock_quietly(&'static self) -> Locked {
        self.lock.lock();
        Locked { node: self, here: PhantomData }
    }

    /// The same, unless somebody else has the lock.
    #[inline(always)]
    pub(crate) fn try_lock_quietly(&'static self) -> Option<Locked> {
        self.lock.try_lock().then(|| Locked { node: self, here: PhantomData })
    }
}

/// How many bits of a generation go with an address in one word: addresses have 48 bits, of which the lowest six of a
/// node's are zero. The highest of the 22 is OTHER_SIDE.
const GENERATION_BITS: u32 = 22;

impl Attachment {
    /// Address and generation in one word, for the kernel to hand back (`from_word`); never below 2^22.
    pub(crate) fn to_word(attachment: &Locked) -> u64 {
        let address = core::ptr::from_ref(attachment.node) as u64;
        (address >> 6) << GENERATION_BITS | u64::from(attachment.generation.get())
    }

    /// The node that `to_word` was given, and its generation then. The node may have become another descriptor's since;
    /// then its generation is another (or, once in two million times, the same: that costs a try in vain).
    #[inline(always)]
    pub(crate) fn from_word(word: u64) -> Option<(&'static Attachment, u32)> {
        let address = (word >> GENERATION_BITS) << 6;
        // SAFETY: words below 2^22 give null; others are made by `to_word` only, of nodes, which live for ever.
        // An index would do too, but needs the look-up that this saves.
        let node = unsafe { (address as *const Attachment).as_ref() }?;
        Some((node, word as u32 & ((1 << GENERATION_BITS) - 1)))
    }

    /// The generation after `generation`.
    pub(crate) fn next_generation(generation: u32) -> u32 {
        (generation + 1) & (OTHER_SIDE - 1)
    }
}

impl Inside {
    #[inline]
    pub(crate) fn is_ready(&self, bits: u8) -> bool {
        self.ready.get() & bits != 0
    }

    /// Parks a plain read: it waits without a node, until it is complete or something comes that needs it to have one. In
    /// this state, ONE_READ, the words of two queues, which are empty, hold its buffer and length; a node is reserved for
    /// it, so that `unsettle` cannot fail.
    #[inline(always)]
    pub(crate) fn park(&self, buf: UserPtr, len: usize) {
        // SAFETY: ONE_READ is set, under the lock; whoever sees it leaves the queues alone, or unparks first.
        unsafe {
            self.input.hold(buf.addr());
            self.alone.hold(len);
        }
    }

    /// Buffer and length of the parked read.
    #[inline(always)]
    pub(crate) fn parked(&self) -> (UserPtr, usize) {
        debug_assert!(self.is_ready(ONE_READ));
        (UserPtr::number(self.input.held()), self.alone.held())
    }

    /// The parked read is complete, or gets a node.
    #[inline(always)]
    pub(crate) fn unpark(&self) {
        // SAFETY: empty queues again.
        unsafe {
            self.input.hold(0);
            self.alone.hold(0);
        }
    }

    /// The lane of the newest event.
    #[inline(always)]
    pub(crate) fn newest_lane(&self) -> u32 {
        u32::from(self.newest_place.get()) & !LISTED
    }

    /// The newest event was put into `place` as this number.
    #[inline(always)]
    pub(crate) fn set_newest(&self, place: u32, number: u32) {
        self.newest_place.set(place as u8);
        self.newest_number.set(number);
    }

    /// The pipe of an attached descriptor.
    #[inline(always)]
    pub(crate) fn attached_pipe(&self) -> &'static Pipe {
        debug_assert!(self.fd.get() >= 0 && self.pipe.get().is_some());
        // SAFETY: a node whose `fd` is not -1 has a pipe: `attach_new` sets both, `free` takes both away, under the lock.
        unsafe { self.pipe.get().unwrap_unchecked() }
    }

    #[inline]
    pub(crate) fn set_ready(&self, bits: u8) {
        self.ready.set(self.ready.get() | bits);
    }

    #[inline]
    pub(crate) fn clear_ready(&self, bits: u8) {
        self.ready.set(self.ready.get() & !bits);
    }

    #[inline]
    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags.get() & flag != 0
    }

    pub(crate) fn mark(&self, flag: u8) {
        self.flags.set(self.flags.get() | flag);
    }

    pub(crate) fn set(&self, flag: u8, on: bool) {
        self.flags.set(self.flags.get() & !flag | if on { flag } else { 0 });
    }
}

impl Locked {
    pub(crate) fn node(&self) -> &'static Attachment {
        self.node
    }

    /// Makes everything as the general ways expect it.
    #[inline]
    pub(crate) fn unsettle(&self) {
        if self.is_ready(ONE_READ) {
            self.give_node();
        }
        self.clear_ready(SHORT);
    }

    /// Sees whether the next call can go a short way. The general ways do this last.
    pub(crate) fn settle(&self) {
        if race::is_present()
            || !self.class.get().is_socket()
            || self.class.get() == Class::Deferred
            || self.is_ready(QUIET)
            || !self.is_ready(WRITABLE)
            || !self.output.is_empty()
            || !self.alone.is_empty()
            || self.has(SEVERAL_PIPES | POLL_ONLY)
            || self.is_ready(PAUSED_INPUT | PAUSED_OUTPUT)
        {
            return;
        }
        self.set_ready(if self.has(INLINE) { QUIET | QUIET_INLINE } else { QUIET });
        if self.has(TIME_LIMIT) {
            return;
        }
        if self.input.is_empty() {
            if self.has(RESERVED) || table::world().is_some_and(|world| world.ops.reserve().is_ok()) {
                self.mark(RESERVED);
                self.set_ready(PARKABLE);
            }
        } else if let Some(op) = self.input.only()
            && op.kind.get() == Kind::Read
            && op.waits_like_others(true)
            && !op.has(TIMED)
            && op.user.get() == self.user.get()
            && let Some(world) = table::world()
        {
            self.input.pop();
            // Before it is given back: then it may be another's at once.
            let (buf, len) = (op.buf.get(), op.len.get() as usize);
            if self.has(RESERVED) {
                world.ops.give(op);
            } else {
                world.ops.give_reserved(op);
                self.mark(RESERVED);
            }
            self.park(buf, len);
            self.set_ready(ONE_READ);
        }
    }

    /// Gives the parked read a node, as the general ways expect it.
    #[cold]
    fn give_node(&self) {
        let (buf, len) = self.parked();
        self.unpark();
        let Some(op) = table::world().and_then(|world| world.ops.take_reserved()) else { return };
        self.set(RESERVED, false);
        let pipe = self.attached_pipe();
        op.fill(&Request::read(buf, len), self.user.get(), pipe.index());
        self.input.push(op);
    }

    /// A node for the parked read is not needed any more.
    pub(super) fn give_up_reserved(&self) {
        if self.has(RESERVED)
            && let Some(world) = table::world()
        {
            world.ops.give_up_reserved();
            self.set(RESERVED, false);
        }
    }

    /// Gives the node of a kept error back, which is in no queue any more.
    pub(crate) fn give_kept(&self, kept: OpRef) {
        if let Some(world) = table::world() {
            world.ops.give(kept);
        }
    }

    /// Forgets errors that were kept for operations to come.
    pub(crate) fn forget_kept(&self) {
        for queue in [&self.input, &self.output] {
            queue.take_out(|op| op.kind.get() == Kind::Kept, |kept| self.give_kept(kept));
        }
    }

    /// Lets the next operations make a try: one that waited for something of its own (more data than there were, another
    /// descriptor) has been ended, and what it left the bits at says nothing about others.
    pub(crate) fn assume_ready(&self) {
        self.clear_ready(PAUSED_INPUT | PAUSED_OUTPUT);
        self.set_ready(READABLE | WRITABLE);
    }

    /// Lets the next operation of one side (PAUSED_INPUT, PAUSED_OUTPUT) make a try.
    pub(crate) fn assume_ready_for(&self, side: u8) {
        self.set_ready(if side == PAUSED_INPUT { READABLE } else { WRITABLE });
    }

    /// The library's own open file for this descriptor, if there is one now.
    #[inline]
    pub(crate) fn own_fd(&self) -> Option<c_int> {
        let own = self.node.own_fd.load(Relaxed);
        (own >= 0 && self.class.get() == Class::Reopened).then_some(own)
    }

    /// Whether the engine watches for when it can be written to.
    pub(crate) fn is_output_watched(&self) -> bool {
        self.has(OUTPUT_WATCHED)
    }

    pub(crate) fn set_output_watched(&self, watched: bool) {
        self.set(OUTPUT_WATCHED, watched);
    }

    /// Which file it is (`fd::identity`), unless it is a `Class::Reopened`.
    pub(crate) fn identity(&self) -> c_int {
        self.node.own_fd.load(Relaxed)
    }

    pub(crate) fn set_identity(&self, identity: c_int) {
        self.node.own_fd.store(identity, Relaxed);
    }

    /// Remembers, or forgets, the library's own open file; returns the one before.
    pub(crate) fn set_own_fd(&self, own: Option<c_int>) -> Option<c_int> {
        let before = self.own_fd();
        self.node.own_fd.store(own.unwrap_or(-1), Relaxed);
        before
    }

    /// Where operations of an order wait.
    #[inline]
    pub(crate) fn queue(&self, order: Order) -> &Queue {
        match order {
            Order::Input => &self.input,
            Order::Output => &self.output,
            Order::Alone => &self.alone,
        }
    }

    /// Whether no operation is outstanding.
    pub(crate) fn is_idle(&self) -> bool {
        let is_operation = |op: OpRef| op.kind.get() != Kind::Kept;
        [&self.input, &self.output, &self.alone]
            .iter()
            .all(|queue| queue.is_empty() || !queue.any(is_operation))
    }
}

/// The attachment of `fd`, locked, if it has one.
#[inline]
pub(crate) fn find(fd: c_int) -> Option<Locked> {
    loop {
        let Entry::Attachment(node) = table::get(fd) else { return None };
        let locked = node.lock();
        if locked.fd.get() == fd {
            return Some(locked);
        }
        // It was detached, and perhaps taken for another descriptor, between the two looks. Look again.
    }
}
