//! Attachments: what ties a descriptor to its pipe, and the operations that wait on it.

use super::file_class::Class;
use super::pipe::Pipe;
use super::slot::Slot;
use super::table;
use super::word::Word;
use crate::queue::lane::LISTED;
use crate::queue::op::{Kind, OpRef, Order};
use crate::queue::op_list::Queue;
use crate::sync::access::{self, Access, Shared, Sole};
use crate::sync::lock::RawLock;
use core::cell::{Cell, UnsafeCell};
use core::ffi::c_int;
use core::marker::PhantomData;
use core::ops::Deref;
use core::sync::atomic::{
    AtomicI32, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// A read may succeed: it is worth a try. Without this bit an edge comes when it may.
pub(crate) const READABLE: u16 = 1;
/// The same for writes.
pub(crate) const WRITABLE: u16 = 1 << 1;
/// For the fast path: a writable socket that one pipe watches, with nothing in `output` and `unordered`.
pub(crate) const OUTPUT_FREE: u16 = 1 << 2;
/// Nothing waits, and an operation may be put into the slot; the words of the queues hold what was there before.
pub(crate) const INPUT_FREE: u16 = 1 << 3;
/// An operation waits in the slot, without a node (`slot`), and nothing else does.
pub(crate) const SLOT: u16 = 1 << 4;
/// IOEVENT_INLINE (rule 2.8).
pub(crate) const INLINE: u16 = 1 << 5;
/// For the thread that holds the bias: all events of the descriptor that nobody has harvested yet are in the ring of
/// that thread's lane. `newest_number` says nothing then.
pub(crate) const HERE: u16 = 1 << 6;
/// The descriptor has a time limit for its operations, which `limits` knows (rule 4.6).
pub(crate) const TIME_LIMIT: u16 = 1 << 7;
/// The first operation of `input` is to be tried again after a pause; until then edges say nothing (`epoll::alarm`).
pub(crate) const PAUSED_INPUT: u16 = 1 << 8;
/// The same for `output`.
pub(crate) const PAUSED_OUTPUT: u16 = 1 << 9;
/// The engine is asked to tell when it can be written to, too.
const OUTPUT_WATCHED: u16 = 1 << 10;
/// The kernel tells level-triggered, of input alone: for polls that come again and again (`epoll::polls`).
pub(crate) const LEVEL: u16 = 1 << 11;
/// IOEVENT_POLLONLY (rule 2.11).
pub(crate) const POLL_ONLY: u16 = 1 << 12;
/// Operations of more than one pipe may be outstanding, and more than one pipe's engine may watch the descriptor.
pub(crate) const SEVERAL_PIPES: u16 = 1 << 13;
/// The kernel has no call-by-call way not to wait for reads of this file.
pub(crate) const NO_NOWAIT_READ: u16 = 1 << 14;
/// The same for writes.
pub(crate) const NO_NOWAIT_WRITE: u16 = 1 << 15;

/// In `newest_place`: a node is reserved in the pool, for an operation that waits in the slot.
const RESERVED: u8 = 0x40;

/// In a generation: the edge is of the other descriptor of a sendfile or splice.
pub(crate) const OTHER_SIDE: u32 = 1 << 31;

/// What the lock of an attachment guards.
pub(crate) struct Inside {
    pub(crate) class: Cell<Class>,
    newest_place: Cell<u8>,
    /// The constants above.
    bits: Cell<u16>,
    /// The descriptor.
    fd: Cell<c_int>,
    /// Counted up for each descriptor that uses the node: tells its events from those of earlier ones. Not 0 while
    /// there is one, and below OTHER_SIDE.
    pub(crate) generation: Cell<u32>,
    /// Its newest event was put into `newest_place` as this number (see `Completions`).
    newest_number: Cell<u32>,
    pub(crate) user: Cell<usize>,
    /// What is behind the number (`Word`). Written under the lock if it was or becomes an attachment; read by anybody.
    pipe: AtomicUsize,
    pub(crate) input: Queue,
    pub(crate) output: Queue,
    /// Operations that stand outside the order of reads and writes.
    pub(crate) unordered: Queue,
}

/// What the table has of a number (`table`). One cache line. All zeros is one of a number that nobody has used.
#[repr(C, align(64))]
pub(crate) struct Attachment {
    inside: UnsafeCell<Inside>,
    lock: RawLock,
    /// The library's own open file of a `Class::Reopened` while operations are outstanding, else -1; the identity of
    /// all other files. Used under the lock like the rest, and outside of `Inside` only because there is room for it
    /// beside the lock; so Relaxed.
    own_fd: AtomicI32,
}

const _: () = assert!(size_of::<Attachment>() == 64);

// SAFETY: `inside` is reached only through `Held`, and its one atomic by anybody.
unsafe impl Sync for Attachment {}

/// What is behind a descriptor number.
#[derive(Clone, Copy)]
pub(crate) enum Entry {
    /// Nothing of ours.
    Nothing,
    Attachment(&'static Attachment),
    Pipe(&'static Pipe),
}

/// An attachment that the calling thread has for itself: by the bias, or by its lock.
pub(crate) struct Held<'a, A: Access> {
    node: &'static Attachment,
    /// The lock is of the thread that took it, as the bias is.
    access: PhantomData<(&'a A, *const ())>,
}

/// The same, by the lock.
pub(crate) type Locked = Held<'static, Shared>;

impl<A: Access> Drop for Held<'_, A> {
    #[inline(always)]
    fn drop(&mut self) {
        if !A::SOLE {
            self.node.lock.unlock();
        }
    }
}

impl<A: Access> Deref for Held<'_, A> {
    type Target = Inside;
    #[inline(always)]
    fn deref(&self) -> &Inside {
        // SAFETY: nobody else reaches it, and all fields are cells or atomic: nobody has a unique reference.
        unsafe { &*self.node.inside.get() }
    }
}

impl<A: Access> Held<'_, A> {
    pub(crate) fn node(&self) -> &'static Attachment {
        self.node
    }
}

impl Attachment {
    pub(crate) const fn new() -> Attachment {
        Attachment {
            lock: RawLock::new(),
            own_fd: AtomicI32::new(0),
            inside: UnsafeCell::new(Inside {
                class: Cell::new(Class::File),
                newest_place: Cell::new(0),
                bits: Cell::new(0),
                fd: Cell::new(0),
                generation: Cell::new(0),
                newest_number: Cell::new(0),
                user: Cell::new(0),
                pipe: AtomicUsize::new(0),
                input: Queue::new(),
                output: Queue::new(),
                unordered: Queue::new(),
            }),
        }
    }

    #[inline(always)]
    fn word(&self) -> &AtomicUsize {
        // SAFETY: an atomic may be shared, whoever has the rest.
        unsafe { &(*self.inside.get()).pipe }
    }

    /// Whether the number is attached now. Without the lock that may change at any time.
    #[inline(always)]
    pub(crate) fn is_attached(&self) -> bool {
        // Acquire pairs with the Release in `set_attached`.
        Word(self.word().load(Acquire)).is_attached()
    }

    /// What the number is now, in one word.
    #[inline(always)]
    pub(crate) fn read(&self) -> Word {
        // Acquire pairs with the Release in `set_attached` and `set_pipe`: a pipe is whole before it is found.
        Word(self.word().load(Acquire))
    }

    /// The pipe whose own number it is.
    #[inline(always)]
    pub(crate) fn pipe_of_number(&self) -> Option<&'static Pipe> {
        self.read().pipe()
    }

    /// What the number is now.
    pub(crate) fn entry(&'static self) -> Entry {
        let word = self.read();
        if word.is_attached() {
            Entry::Attachment(self)
        } else {
            word.pipe().map_or(Entry::Nothing, Entry::Pipe)
        }
    }

    /// The number is a pipe's own, which the kernel has just given out.
    pub(crate) fn set_pipe(&self, pipe: &'static Pipe) {
        self.word().store(Word::own(pipe).0, Release);
    }

    /// The number is not this pipe's any more; if it is, by now, something else, nothing happens.
    pub(crate) fn clear_pipe(&self, pipe: &'static Pipe) {
        let _ = self.word().compare_exchange(Word::own(pipe).0, 0, AcqRel, Relaxed);
    }

    /// Locks, for the slow path.
    #[inline]
    pub(crate) fn lock(&'static self) -> Locked {
        access::admit();
        let locked = self.lock_quietly();
        locked.disarm();
        locked
    }

    /// Locks, for the fast path.
    #[inline(always)]
    pub(crate) fn lock_quietly(&'static self) -> Locked {
        self.lock.lock();
        Held { node: self, access: PhantomData }
    }

    /// The same, unless another thread has the lock.
    #[inline(always)]
    pub(crate) fn try_lock_quietly(&'static self) -> Option<Locked> {
        if self.lock.try_lock() { Some(Held { node: self, access: PhantomData }) } else { None }
    }

    /// Holds it while the calling thread goes alone.
    #[inline(always)]
    pub(crate) fn hold<'a>(&'static self, _: &'a Sole) -> Held<'a, Sole> {
        Held { node: self, access: PhantomData }
    }

    /// What is held, for a thread that goes alone.
    #[inline(always)]
    pub(crate) fn inside_of<'a>(&'static self, _: &'a Sole) -> &'a Inside {
        // SAFETY: nobody else reaches it meanwhile, with or without the lock; and all fields are cells or atomic.
        unsafe { &*self.inside.get() }
    }

    /// Back to the beginning, in a forked child.
    pub(crate) fn forget(&'static self) {
        self.lock.forget();
        self.word().store(0, Relaxed);
        // SAFETY: a child begins with one thread.
        let inside = unsafe { &*self.inside.get() };
        inside.bits.set(0);
        inside.newest_place.set(0);
        for queue in [&inside.input, &inside.output, &inside.unordered] {
            // SAFETY: an empty queue.
            unsafe { queue.hold(0) };
        }
    }

    /// The generation after `generation`.
    pub(crate) fn next_generation(generation: u32) -> u32 {
        ((generation + 1) & (OTHER_SIDE - 1)).max(1)
    }

    /// Number and generation in one word, for the kernel to hand back (`table::by_word`).
    pub(crate) fn to_word(attachment: &Inside) -> u64 {
        u64::from(attachment.fd.get() as u32) | u64::from(attachment.generation.get()) << 32
    }
}

impl Inside {
    /// The descriptor.
    #[inline(always)]
    pub(crate) fn fd(&self) -> c_int {
        self.fd.get()
    }

    #[inline(always)]
    pub(crate) fn bits(&self) -> u16 {
        self.bits.get()
    }

    #[inline(always)]
    pub(crate) fn set_bits(&self, bits: u16) {
        self.bits.set(bits);
    }

    /// Whether one of these bits is set.
    #[inline(always)]
    pub(crate) fn has(&self, bits: u16) -> bool {
        self.bits.get() & bits != 0
    }

    #[inline(always)]
    pub(crate) fn mark(&self, bits: u16) {
        self.bits.set(self.bits.get() | bits);
    }

    #[inline(always)]
    pub(crate) fn clear(&self, bits: u16) {
        self.bits.set(self.bits.get() & !bits);
    }

    pub(crate) fn set(&self, bits: u16, on: bool) {
        if on { self.mark(bits) } else { self.clear(bits) }
    }

    /// Whether the number is attached.
    #[inline(always)]
    pub(crate) fn is_attached(&self) -> bool {
        // Relaxed, here and below: under the lock.
        Word(self.pipe.load(Relaxed)).is_attached()
    }

    /// The pipe that it is attached to.
    #[inline(always)]
    pub(crate) fn pipe(&self) -> Option<&'static Pipe> {
        // SAFETY: `set_attached` has made the word of a pipe, which lives for ever.
        self.is_attached().then(|| unsafe { self.attached_pipe() })
    }

    /// The pipe of an attached descriptor.
    ///
    /// # Safety
    ///
    /// It is attached.
    #[inline(always)]
    pub(crate) unsafe fn attached_pipe(&self) -> &'static Pipe {
        // SAFETY: passed on to the caller.
        unsafe { Word(self.pipe.load(Relaxed)).attached_pipe_unchecked() }
    }

    /// The descriptor belongs to a pipe from now on.
    pub(crate) fn set_attached(&self, fd: c_int, pipe: &'static Pipe) {
        self.fd.set(fd);
        // Release pairs with the Acquire in `entry`.
        self.pipe.store(Word::attached(pipe).0, Release);
    }

    /// It does not belong to any.
    pub(crate) fn set_detached(&self) {
        self.bits.set(0);
        self.generation.set(Attachment::next_generation(self.generation.get()));
        self.pipe.store(0, Release);
    }

    /// A read has found nothing: from now on a short read proves that nothing is left, since all that comes behind has
    /// come while the engine watched.
    #[inline(always)]
    pub(crate) fn found_nothing(&self) {
        if self.class.get() == Class::Tcp {
            self.class.set(Class::PlainTcp);
        }
    }

    /// Whether a short read proves that nothing is left.
    #[inline(always)]
    pub(crate) fn proves_drained(&self) -> bool {
        self.class.get() == Class::PlainTcp
    }

    /// The operation in the slot, or the one that was there last, as far as `Slot::is_like` goes.
    #[inline(always)]
    pub(crate) fn slot(&self) -> Slot {
        Slot::from_words([self.input.held(), self.unordered.held(), self.output.held()])
    }

    /// The user pointer of the operation that was in the slot until now.
    #[inline(always)]
    pub(crate) fn slot_user(&self) -> usize {
        self.output.held()
    }

    /// Puts it there, for an operation that had no room for it.
    pub(crate) fn set_slot_user(&self, user: usize) {
        debug_assert!(self.has(INPUT_FREE));
        // SAFETY: as in `put_into_slot`.
        unsafe { self.output.hold(user) };
    }

    /// The operation that waits in the slot.
    #[inline(always)]
    pub(crate) fn waiting_slot(&self) -> Option<Slot> {
        if self.has(SLOT) { Some(self.slot()) } else { None }
    }

    /// Puts an operation into the slot. In that state, SLOT, the words of the queues, which are empty, hold it; a node
    /// is reserved for it, so that `disarm` cannot fail.
    #[inline(always)]
    pub(crate) fn put_into_slot(&self, slot: Slot) {
        let [input, unordered, output] = slot.words();
        // SAFETY: with INPUT_FREE or SLOT nobody looks at the queues before `disarm` has emptied them.
        unsafe {
            self.input.hold(input);
            self.unordered.hold(unordered);
            self.output.hold(output);
        }
    }

    /// Where the newest event was put: the lane, with `LISTED` for its list.
    #[inline(always)]
    pub(crate) fn newest_place(&self) -> u32 {
        u32::from(self.newest_place.get() & !RESERVED)
    }

    /// The lane of the newest event.
    #[inline(always)]
    pub(crate) fn newest_lane(&self) -> u32 {
        self.newest_place() & !LISTED
    }

    /// The number that the newest event has there.
    #[inline(always)]
    pub(crate) fn newest_number(&self) -> u32 {
        self.newest_number.get()
    }

    /// Whether a node is reserved in the pool, for an operation that waits in the slot.
    pub(crate) fn has_reserved(&self) -> bool {
        self.newest_place.get() & RESERVED != 0
    }

    pub(crate) fn set_reserved(&self, reserved: bool) {
        let place = self.newest_place.get() & !RESERVED;
        self.newest_place.set(place | if reserved { RESERVED } else { 0 });
    }

    /// The newest event was put into `place` as this number.
    #[inline(always)]
    pub(crate) fn set_newest(&self, place: u32, number: u32) {
        self.newest_place.set(place as u8 | self.newest_place.get() & RESERVED);
        self.newest_number.set(number);
    }
}

impl Locked {
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

    /// Lets the next operations make a try: one that waited for something of its own (more data than there were,
    /// another descriptor) has been ended, and what it left the bits at says nothing about others.
    pub(crate) fn assume_ready(&self) {
        self.clear(PAUSED_INPUT | PAUSED_OUTPUT);
        self.mark(READABLE | WRITABLE);
    }

    /// Lets the next operation of one side (PAUSED_INPUT, PAUSED_OUTPUT) make a try.
    pub(crate) fn assume_ready_for(&self, side: u16) {
        self.mark(if side == PAUSED_INPUT { READABLE } else { WRITABLE });
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

    /// Which file it is (`nature::identity`), unless it is a `Class::Reopened`.
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
            Order::Unordered => &self.unordered,
        }
    }

    /// Whether no operation is outstanding.
    pub(crate) fn is_idle(&self) -> bool {
        let is_operation = |op: OpRef| op.kind.get() != Kind::Kept;
        [&self.input, &self.output, &self.unordered]
            .iter()
            .all(|queue| queue.is_empty() || !queue.any(is_operation))
    }
}

/// The attachment of `fd`, locked, if it has one.
#[inline]
pub(crate) fn find(fd: c_int) -> Option<Locked> {
    let Entry::Attachment(node) = table::get(fd) else { return None };
    let locked = node.lock();
    locked.is_attached().then_some(locked)
}
